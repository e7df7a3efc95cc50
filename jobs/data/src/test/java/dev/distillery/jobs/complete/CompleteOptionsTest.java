package dev.distillery.jobs.complete;

import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.teacher.TeacherOptions;
import org.junit.jupiter.api.Test;

class CompleteOptionsTest {
  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(CompleteOptions.class, RunOptions.class, TeacherOptions.class)
        .defaults(
            """
            input (none)
            prompt (none)
            template {instruction}\\n\\n{input}
            system (none)
            samples 1
            temperature (none)
            top-p (none)
            top-k (none)
            repetition-penalty (none)
            stop (none)
            response-format (none)
            reuse-completions (none)
            keep-columns (none)
            same-id refuse
            logprobs (none)
            """)
        .arrive(
            """
            input a.jsonl
            prompt Why?
            template {instruction}
            system Be brief.
            samples 2
            temperature 0.5
            top-p 0.9
            top-k 40
            repetition-penalty 1.1
            stop ###
            response-format {"type":"json_object"}
            reuse-completions completions@a
            keep-columns topic,level
            same-id apart
            logprobs 5
            """);
  }
}
