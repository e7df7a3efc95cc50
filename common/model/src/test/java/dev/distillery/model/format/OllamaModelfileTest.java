package dev.distillery.model.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OllamaModelfileTest {
  @Test
  void anAdapterIsLaidOverItsBase() {
    assertThat(
            OllamaModelfile.text(
                "./base.gguf", Optional.of("./adapter.gguf"), List.of("<|im_end|>", "say \"x\"")))
        .isEqualTo(
            """
            FROM ./base.gguf
            ADAPTER ./adapter.gguf
            PARAMETER stop "<|im_end|>"
            PARAMETER stop "say \\"x\\""
            """);
    assertThat(OllamaModelfile.text("m.gguf", Optional.empty(), List.of()))
        .isEqualTo("FROM m.gguf\n");
  }

  @Test
  void textsOfSeveralLinesAreRefused() {
    assertThatThrownBy(() -> OllamaModelfile.text("m.gguf", Optional.empty(), List.of("\n")))
        .hasMessageContaining("of several lines");
  }
}
