import phonenumbers


def e164(typed: str) -> str | None:
    """`8 701 123 45 67` is +77011234567, as in Kazakhstan; None for what is no phone number."""
    if any(char.isalpha() for char in typed):
        return None  # phonenumbers would take letters for keys, or look for a number among them
    try:
        number = phonenumbers.parse(typed, "KZ")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
