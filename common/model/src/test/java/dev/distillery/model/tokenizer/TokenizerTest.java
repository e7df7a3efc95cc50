package dev.distillery.model.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TokenizerTest {
  @Test
  void aTextThatBeginsByItselfGetsNoSecondBeginning() {
    assertThat(Tokenizer.begun(new int[] {1}, new int[] {5, 6})).containsExactly(1, 5, 6);
    assertThat(Tokenizer.begun(new int[] {1}, new int[] {1, 5})).containsExactly(1, 5);
    assertThat(Tokenizer.begun(new int[] {1, 2}, new int[] {1})).containsExactly(1, 2, 1);
    assertThat(Tokenizer.begun(new int[0], new int[] {5})).containsExactly(5);
  }
}
