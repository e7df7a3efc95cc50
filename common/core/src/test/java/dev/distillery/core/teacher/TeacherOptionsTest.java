package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.dialogue.TemplateOptions;
import dev.distillery.core.run.OptionsKit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TeacherOptionsTest {
  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(TeacherOptions.class)
        .defaults(
            """
            teacher gguf
            model (none)
            chat-template (none)
            template-date (none)
            template-args {}
            base-url https://api.openai.com/v1
            api chat
            api-key-env OPENAI_API_KEY
            api-key-file (none)
            concurrency 16
            requests-per-minute (none)
            tokens-per-minute (none)
            max-cost-usd (none)
            prices (none)
            max-requests (none)
            max-total-tokens (none)
            max-new-tokens (none)
            extra-body {}
            request-timeout 600s
            max-attempts 6
            max-wait 3600s
            max-failure-ratio 0.1
            """)
        .arrive(
            """
            teacher openai
            model m
            chat-template koala
            template-date 2026-11-29
            template-args {"a":1}
            base-url http://localhost:1/v1
            api completions
            api-key-env KEY
            api-key-file key
            concurrency 3
            requests-per-minute 60
            tokens-per-minute 1000
            max-cost-usd 1.50
            prices p.yaml
            max-requests 9
            max-total-tokens 99
            max-new-tokens 17
            extra-body {"a":1}
            request-timeout 5s
            max-attempts 2
            max-wait 30s
            max-failure-ratio 0.5
            """);
  }

  private static TeacherAccessOptions body(String extra) {
    return TeacherAccessOptions.builder().extraBody(extra).build();
  }

  @Test
  void aServerGetsTheTemplatesArgumentsInTheBodyAndAStudentInItsTemplate() {
    var args = TemplateOptions.builder().templateArgs("{\"enable_thinking\":false}").build();
    var options =
        TeacherOptions.builder()
            .teacher(TeacherKind.OPENAI)
            .model("m")
            .access(body("{\"seed\":1}"))
            .template(args);

    assertThat(options.build().body())
        .isEqualTo("{\"seed\":1,\"chat_template_kwargs\":{\"enable_thinking\":false}}");
    assertThat(options.teacher(TeacherKind.STUDENT).build().body()).isEqualTo("{\"seed\":1}");
  }

  @Test
  void whatATemplateIsToldInVainIsRefused() {
    var dated = TemplateOptions.builder().templateDate("2026-11-29").build();
    var args = TemplateOptions.builder().templateArgs("{\"a\":1}").build();
    var options = TeacherOptions.builder().model("m").teacher(TeacherKind.OPENAI);

    assertThat(options.template(dated).build().violations().toString())
        .contains("--template-date has an effect with --teacher student only");
    assertThat(
            options
                .template(args)
                .access(body("{\"chat_template_kwargs\":{}}"))
                .build()
                .violations()
                .toString())
        .contains("--extra-body has chat_template_kwargs already");
    options.access(body("{}")).teacher(TeacherKind.GGUF);
    assertThat(options.build().violations().toString())
        .contains("--template-args has no effect with --teacher gguf");
    options.teacher(TeacherKind.STUDENT);
    assertThat(options.chatTemplate("chatml").build().violations().toString())
        .contains("leave them out with --chat-template");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"max_tokens\":null}",
        "{\"max_tokens\":-1}",
        "{\"max_completion_tokens\":0}",
        "{\"n_predict\":-1}",
        "{\"max_tokens\":\"many\"}",
        "{\"max_tokens\":1e12}"
      })
  void aReplyWithoutALimitIsRefusedByName(String extraBody) {
    TeacherOptions options =
        TeacherOptions.builder()
            .teacher(TeacherKind.OPENAI)
            .model("m")
            .access(body(extraBody))
            .build();
    assertThat(options.violations())
        .singleElement()
        .asString()
        .startsWith("Option --extra-body: '")
        .contains("must be a whole number above 0");
  }

  @Test
  void aLimitByTheOtherNameIsALimit() {
    TeacherOptions options =
        TeacherOptions.builder()
            .teacher(TeacherKind.OPENAI)
            .model("m")
            .access(body("{\"max_tokens\":null,\"max_completion_tokens\":9}"))
            .build();
    assertThat(options.violations()).isEmpty();
  }
}
