package dev.distillery.core.prompt;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A teacher that loops writes long texts of one thing. Sixteen times the text takes some sixteen
 * times the work, counted in characters looked at or in bytes allocated, not in seconds.
 */
class LinearParsersTest {
  private static final int SMALL = 1 << 16;
  private static final int LARGE = 1 << 20;

  /** Room for what does not depend on the length. */
  private static final double MOST = 24;

  /** A text that counts how often it is looked at. */
  private static final class Counted implements CharSequence {
    private final String text;
    private long looks;

    Counted(String text) {
      this.text = text;
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public char charAt(int index) {
      looks++;
      return text.charAt(index);
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return text.subSequence(start, end);
    }
  }

  private static long looks(Pattern pattern, String piece, int length) {
    var text = new Counted("Output" + piece.repeat(length / piece.length()) + "x");
    var matcher = pattern.matcher(text);
    while (matcher.find()) {
      // Every match counts.
    }
    return text.looks;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {" ", "\t", "\n", "1", "*", "Output", "Output ", "\nOutput", "Example", "\n  "})
  void headsLookAtACharacterFewTimes(String piece) {
    for (Pattern pattern : InstanceParser.heads()) {
      assertThat((double) looks(pattern, piece, SMALL))
          .as("%s over '%s'", pattern, piece)
          .isLessThan(64.0 * SMALL);
    }
  }

  private static long allocated(Consumer<String> parser, String text) {
    parser.accept(text);
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    parser.accept(text);
    return threads.getCurrentThreadAllocatedBytes() - before;
  }

  private static void linear(Consumer<String> parser, String piece) {
    long small = allocated(parser, piece.repeat(SMALL / piece.length()));
    long large = allocated(parser, piece.repeat(LARGE / piece.length()));
    assertThat(large / (double) Math.max(small, SMALL)).as("'%s'", piece).isLessThan(MOST);
  }

  @Test
  void parsersOfRepliesAllocateInProportion() {
    for (String piece :
        new String[] {
          "\n", " ", "a\n", "9. \n", "\n\n", "###\n", "Output:", "Example 1\n", "1. Input:\n", "`"
        }) {
      linear(reply -> InstructionListParser.parse(reply, "stop", 9, false), piece);
      linear(reply -> InstructionListParser.parse(reply, "length", 9, true), piece);
      linear(reply -> InstanceParser.parse(reply, "stop", false, false), piece);
      linear(reply -> InstanceParser.parse(reply, "stop", true, true), piece);
      linear(reply -> AlpacaReplyParser.parse(reply, "stop", 3, false), piece);
      linear(reply -> AlpacaReplyParser.parse(reply, "stop", 3, true), piece);
    }
  }

  @Test
  void aFenceAroundAReplyIsNoPartOfIt() {
    assertThat(CodeFence.off("```text\n1. a\n```\n")).isEqualTo("1. a");
    assertThat(CodeFence.off("```\ncut")).isEqualTo("cut");
    assertThat(CodeFence.off("```\n```")).isEmpty();
    assertThat(CodeFence.off("```\na\n```\nand more")).isEqualTo("```\na\n```\nand more");
    assertThat(CodeFence.off("no ``` fence")).isEqualTo("no ``` fence");
  }
}
