package dev.distillery.core.testing;

/** A text that counts how often one of its characters is looked at: a pattern's steps. */
public final class CountedText implements CharSequence {
  private final String text;
  private long steps;

  public CountedText(String text) {
    this.text = text;
  }

  /** Characters looked at until now. */
  public long steps() {
    return steps;
  }

  @Override
  public int length() {
    return text.length();
  }

  @Override
  public char charAt(int index) {
    steps++;
    return text.charAt(index);
  }

  @Override
  public CharSequence subSequence(int start, int end) {
    return text.subSequence(start, end);
  }

  @Override
  public String toString() {
    return text;
  }
}
