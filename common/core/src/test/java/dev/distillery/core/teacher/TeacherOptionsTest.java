package dev.distillery.core.teacher;

import dev.distillery.core.run.OptionsKit;
import org.junit.jupiter.api.Test;

class TeacherOptionsTest {
  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(TeacherOptions.class)
        .defaults(
            """
            teacher gguf
            model (none)
            chat-template (none)
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
}
