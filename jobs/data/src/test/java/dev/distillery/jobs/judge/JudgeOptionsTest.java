package dev.distillery.jobs.judge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.teacher.TeacherOptions;
import java.util.List;
import org.junit.jupiter.api.Test;

class JudgeOptionsTest {
  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(JudgeOptions.class, RunOptions.class, TeacherOptions.class)
        .defaults(
            """
            input (required)
            against (none)
            form pairwise
            criteria (none)
            min-matched 1.0
            judge-prompt (none)
            difficulties (none)
            human (none)
            preferences false
            temperature 0.0
            reuse-completions (none)
            """)
        .arrive(
            """
            input a.jsonl
            against b.jsonl
            form alpaca-eval
            criteria helpful,harmless
            min-matched 0.5
            judge-prompt mine.txt
            difficulties hard.jsonl
            human votes.jsonl
            preferences true
            temperature 0.7
            reuse-completions completions@a
            """);
  }

  @Test
  void whatContradictsItselfIsNamed() {
    var options = JudgeOptions.builder().input(List.of("a.jsonl"));
    assertThat(options.build().violations())
        .anyMatch(said -> said.startsWith("Option --against is required"));
    assertThat(
            options
                .form(JudgeForm.SINGLE)
                .against(List.of("b.jsonl"))
                .criteria(List.of("helpful", "helpful"))
                .build()
                .violations())
        .anyMatch(said -> said.contains("--against has no effect with --form single"))
        .anyMatch(said -> said.contains("found 'helpful,helpful'; name each once"));
  }
}
