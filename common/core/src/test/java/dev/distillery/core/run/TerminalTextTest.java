package dev.distillery.core.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TerminalTextTest {
  @Test
  void whatCouldSteerATerminalIsShownAsADot() {
    assertThat(TerminalText.safe("a\tb\nc \u001b[2J\u0007\r\u009b1m\u007f 日本 😀"))
        .isEqualTo("a\tb\nc ·[2J···1m· 日本 😀");
    assertThat(TerminalText.safe("")).isEmpty();
  }
}
