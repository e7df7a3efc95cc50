package dev.distillery.jobs.chat;

import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.RunOptions;
import org.junit.jupiter.api.Test;

class ChatOptionsTest {
  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(ChatOptions.class, RunOptions.class)
        .defaults(
            """
            model (required)
            adapter (none)
            with (none)
            system (none)
            max-new-tokens 512
            temperature 0.7
            top-p 1.0
            context-length (none)
            chat-template (none)
            template-date (none)
            template-args {}
            threads (none)
            """)
        .arrive(
            """
            model models/student
            adapter adapters/one
            with models/other
            system Be brief.
            max-new-tokens 20
            temperature 0.5
            top-p 0.5
            context-length 512
            chat-template chatml
            template-date 2026-11-29
            template-args {"a":1}
            threads 2
            """);
  }
}
