package dev.distillery.jobs.serve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.RunOptions;
import dev.distillery.training.student.AskedOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ServeOptionsTest {
  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(ServeOptions.class, RunOptions.class)
        .defaults(
            """
            model (required)
            adapter (none)
            name (none)
            host 127.0.0.1
            port 8000
            api-key-env (none)
            concurrency 8
            queue 256
            context-length (none)
            chat-template (none)
            template-date (none)
            template-args {}
            threads (none)
            request-timeout 600s
            judgements (none)
            """)
        .arrive(
            """
            model models/student
            adapter one=adapters/one
            name student
            host 0.0.0.0
            port 0
            api-key-env SERVE_KEY
            concurrency 2
            queue 0
            context-length 512
            chat-template chatml
            template-date 2026-11-29
            template-args {"a":1}
            threads 2
            request-timeout 30s
            judgements votes.jsonl
            """);
  }

  @Test
  void namesAreThoseOfFilesAndOfAdapters() {
    ServeOptions options =
        ServeOptions.builder()
            .student(AskedOptions.builder().model("models/Small.Q4_1.gguf").build())
            .adapter(List.of("one=adapters/a=b", "two=c"))
            .build();
    assertThat(options.violations()).isEmpty();
    assertThat(options.servedName()).isEqualTo("Small.Q4_1");
    assertThat(options.adapters())
        .containsEntry("one", Path.of("adapters/a=b"))
        .containsEntry("two", Path.of("c"));
    ServeOptions wrong =
        ServeOptions.builder()
            .student(AskedOptions.builder().model("models/small").build())
            .name("a b")
            .adapter(List.of("x", "=y", "small=", "one=a", "one=b"))
            .build();
    assertThat(wrong.violations())
        .containsExactly(
            "Option --name: expected what matches [\\w.:/@+-]{1,200}, found 'a b'",
            "Option --adapter: expected NAME=DIR, found 'x'",
            "Option --adapter: expected NAME=DIR, found '=y'",
            "Option --adapter: expected NAME=DIR, found 'small='",
            "Option --adapter: there is a model 'one' already; choose another name");
  }

  /** As a service that is started again under its name. */
  @Test
  void aServerBeginsAnewUnderItsId() {
    ServeOptions options =
        ServeOptions.builder()
            .run(RunOptions.builder().runId(Optional.of("web")).build())
            .student(AskedOptions.builder().model("models/small").build())
            .build();
    ServeOptions settled = new ServeJob().settled(options);
    assertThat(settled.run().overwrite()).isTrue();
    assertThat(settled.run().runId()).contains("web");
    assertThat(settled.student()).isEqualTo(options.student());
  }
}
