"""What nobody asks for over HTTP but must happen."""
