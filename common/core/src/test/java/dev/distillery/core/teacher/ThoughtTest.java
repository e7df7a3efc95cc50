package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How thoughts are parted from answers: text in the forms in which servers give it. */
class ThoughtTest {
  /** A line of the table writes a break of line as {@code \n}. */
  private static String text(String written) {
    return written.replace("\\n", "\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      emptyValue = "",
      value = {
        // The model opens the thought.
        "<think>\\nhmm\\n</think>\\n\\nThe|hmm|The",
        "<think>hmm</think>The|hmm|The",
        "<think>hmm</think> The|hmm|The",
        "\\n<think>\\nhmm\\n</think>\\nthe|hmm|the",
        "<think>\\n\\n</think>\\n\\nThe|~~|The",
        "<think></think>The|~~|The",
        "<think>hmm|hmm|~~",
        "<think>hmm</think>|hmm|~~",
        // The prompt opens it.
        "hmm\\n</think>\\n\\nThe|hmm|The",
        "hmm\\n</think>\\n\\nthe|hmm|the",
        "hmm.\\n</think>The|hmm.|The",
        "hmm\\n</think>the|hmm|the",
        "hmm.\\n</think> The|hmm.|The",
        "hmm.\\n\\n</think>  42|hmm.|42",
        "hmm.</think> The|hmm.|The",
        "hmm!</think>  **The**|hmm!|**The**",
        "hmm.</think>The|hmm.|The",
        "hmm.</think>the|hmm.|the",
        "hmm</think>The|hmm|The",
        "hmm</think>\\n\\nThe|hmm|The",
        "hmm </think>\\nThe|hmm|The",
        "hmm\\n  </think>\\nThe|hmm|The",
        "hmm.</think>{\"a\":1}|hmm.|{\"a\":1}",
        "hmm\\n</think>[1]|hmm|[1]",
        "hmm.</think><tool_call>|hmm.|<tool_call>",
        "hmm.</think>- a|hmm.|- a",
        "hmm.</think> $x$|hmm.|$x$",
        "嗯。</think>好|嗯。|好",
        "嗯！</think> 好|嗯！|好",
        "</think>The|~~|The",
        "</think>\\n\\nThe|~~|The",
        "hmm\\n</think>|hmm|~~",
        "hmm.</think>|hmm.|~~",
        // What the thought and the answer say of the tag is theirs.
        "I say </think> here.\\n</think>The|I say </think> here.|The",
        "hmm.</think> Say </think> so.|hmm.|Say </think> so."
      })
  void aThoughtIsParted(String told, String reasoning, String answer) {
    assertThat(Thought.of(text(told))).isEqualTo(new Thought(text(reasoning), text(answer)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "The",
        "Close it with </think>, then answer.\\nSo it is.",
        "Close it with\\n</think>, then answer.",
        "What does it mean?\\n</think> is the tag that ends a thought.",
        "Write `</think>` at the end.",
        "It is '</think>'.",
        "It is “</think>”.",
        "Write `hmm.</think>` so.",
        "Write 'hmm</think>' so.",
        "Of <think> and </think> the second ends it.",
        "Write:\\n<think>\\nplan\\n</think>\\nanswer",
        "Write <think>plan.</think> Then answer."
      })
  void whatIsSaidOfTheTagIsNoThought(String told) {
    assertThat(Thought.of(text(told))).isEqualTo(new Thought("", text(told)));
  }
}
