package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.dialogue.Message;
import java.util.List;
import org.junit.jupiter.api.Test;

class NativeChatPromptTest {
  @Test
  void putsEveryMessageIntoItsPlace() {
    String prompt =
        NativeChatPrompt.render(
            List.of(
                new Message("user", "MESSAGE1GOESHERE \uD83D\uDE00"),
                new Message("assistant", "$1")),
            json -> {
              assertThat(json)
                  .isEqualTo(
                      "{\"messages\":[{\"role\":\"user\",\"content\":\"MESSAGE0GOESHERE\"},"
                          + "{\"role\":\"assistant\",\"content\":\"MESSAGE1GOESHERE\"}]}");
              return "<u>MESSAGE0GOESHERE</u><a>MESSAGE1GOESHERE</a><a>";
            });

    assertThat(prompt).isEqualTo("<u>MESSAGE1GOESHERE \uD83D\uDE00</u><a>$1</a><a>");
  }

  @Test
  void templateThatDropsAMessageIsRefused() {
    assertThatThrownBy(
            () -> NativeChatPrompt.render(List.of(new Message("system", "s")), json -> "<a>"))
        .hasMessage("The model's chat template drops or moves message 1 (system)");
  }
}
