package dev.distillery.core.prompt;

/** The fence that chat models put around a whole reply. */
final class CodeFence {
  private static final String FENCE = "```";

  private CodeFence() {}

  /** A reply without the fence around it; any other reply as it is. */
  static String off(String reply) {
    String text = PythonStrings.strip(reply);
    int firstLine = text.indexOf('\n');
    boolean opens = text.startsWith(FENCE) && firstLine >= 0 && !text.startsWith(FENCE, 3);
    if (!opens || text.substring(FENCE.length(), firstLine).indexOf('`') >= 0) {
      return reply;
    }
    String inner = text.substring(firstLine + 1);
    int close = inner.indexOf("\n" + FENCE);
    if (close < 0) {
      return inner.startsWith(FENCE) ? "" : inner; // Cut off before its end.
    }
    boolean around = close + 1 + FENCE.length() == inner.length();
    return around ? inner.substring(0, close) : reply;
  }
}
