package dev.distillery.core.text;

import java.util.Locale;

/** Kinds of personal data and secrets that {@link Redactor} finds. */
public enum PersonalData {
  /** Keys, tokens and private keys of the common providers, by their own marks. */
  KEY(0),
  /** Addresses of mail. */
  EMAIL(1),
  /** International bank account numbers whose check digits hold. */
  IBAN(2),
  /** Card numbers of the common brands whose check digit holds. */
  CARD(3),
  /** Public addresses of IPv4 and IPv6. */
  IP(4),
  /** Telephone numbers: international, North American, or behind a word for it. */
  PHONE(5);

  private final int place;

  PersonalData(int place) {
    this.place = place;
  }

  /** Place among the counts of {@link Redactor.Redacted}. */
  public int place() {
    return place;
  }

  /** The name on the command line. */
  public String optionName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** What stands in the text instead. */
  public String placeholder() {
    return "[" + name() + "]";
  }
}
