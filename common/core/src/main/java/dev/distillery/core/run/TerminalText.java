package dev.distillery.core.run;

/** Texts of others, as they may be printed where a person reads them. */
public final class TerminalText {
  private TerminalText() {}

  /** The text; what could steer a terminal, but for line breaks and tabs, is shown as a dot. */
  public static String safe(String text) {
    return text.codePoints()
        .map(c -> Character.isISOControl(c) && c != '\n' && c != '\t' ? '\u00b7' : c)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }
}
