import typer

cli = typer.Typer(no_args_is_help=True, help="Cities and their districts.")
