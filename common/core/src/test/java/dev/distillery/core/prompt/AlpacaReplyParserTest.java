package dev.distillery.core.prompt;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

class AlpacaReplyParserTest {

  @Test
  void readsTheListThatThePromptOpens() {
    var parsed =
        parse(
            """
             Name a river in Peru.
            4. Input:
            <noinput>
            4. Output:
            The Amazon.
            ###
            5. Instruction: Count the letters.
            5. Input:
            moss
            5. Output:
            4
            """);

    assertThat(parsed.kept())
        .containsExactly(
            new GeneratedTask("Name a river in Peru.", "", "The Amazon."),
            new GeneratedTask("Count the letters.", "moss", "4"));
    assertThat(parsed.rejected()).isEmpty();
  }

  @Test
  void readsAChatModelsAnswerThatGreetsAndRepeatsTheHead() {
    var parsed =
        parse(
            """
            Sure! Here are the tasks:

            **4. Instruction:** Name a river in Peru.
            **4. Input:** No input
            **4. Output:** The Amazon.

            ### 5. Instruction: Count the letters.
            5) input:
            moss
            5) output:
            4

            ###
            That is all!""");

    assertThat(parsed.kept())
        .containsExactly(
            new GeneratedTask("Name a river in Peru.", "", "The Amazon."),
            new GeneratedTask("Count the letters.", "moss", "4"));
    assertThat(parsed.rejected())
        .extracting(Rejection::rule)
        .containsExactly(Rule.MALFORMED, Rule.CHATTER);
  }

  @Test
  void keepsNumbersAndHeadsThatBelongToAText() {
    var parsed =
        parse(
            """
             Which costs more?
            4. Input:
            A mug for $20. A cup for
            20. Input: of tea
            4. Output:
            The mug costs $20.
            Output: settled.
            5. Input:
            1. Instruction: rest

            ## 5. Instruction: Add the numbers.
            Input:
            2, 3
            Output:
            5 ##
            """);

    assertThat(parsed.kept())
        .containsExactly(
            new GeneratedTask(
                "Which costs more?",
                "A mug for $20. A cup for\n20. Input: of tea",
                "The mug costs $20.\nOutput: settled.\n5. Input:\n1. Instruction: rest"),
            new GeneratedTask("Add the numbers.", "2, 3", "5"));
  }

  @Test
  void takesAnyNumberAfterASeparatorAndTheNextOneWithout() {
    var parsed =
        parse(
            """
             A b c d
            4. Input:
            x
            4. Output:
            y
            5. Instruction: E f g h
            5. Input:
            x
            5. Output:
            y
            ##
            9. Instruction: I j k l
            9. Input:
            x
            9. Output:
            y
            12. Instruction: stays in the output""");

    assertThat(parsed.kept())
        .extracting(GeneratedTask::instruction)
        .containsExactly("A b c d", "E f g h", "I j k l");
    assertThat(parsed.kept().get(2).output()).isEqualTo("y\n12. Instruction: stays in the output");
  }

  @Test
  void knowsTheWaysToSayThatThereIsNoInput() {
    for (String none :
        new String[] {"<NoInput>", "No input.", "N/A", "(none)", "no input required", ""}) {
      assertThat(parse(" A b c d\n4. Input: " + none + "\n4. Output:\ny").kept())
          .containsExactly(new GeneratedTask("A b c d", "", "y"));
    }
    assertThat(parse(" A b c d\n4. Input: none of these\n4. Output:\nN/A").kept())
        .containsExactly(new GeneratedTask("A b c d", "none of these", ""));
  }

  @Test
  void dropsOnlyTheLastTaskOfAReplyThatWasCut() {
    var parsed =
        AlpacaReplyParser.parse(
            """
             A b c d
            4. Input:
            x
            4. Output:
            y
            ###
            5. Instruction: E f g h
            5. Input:
            z
            5. Output:
            cut he""",
            "length",
            3,
            false);

    assertThat(parsed.kept()).containsExactly(new GeneratedTask("A b c d", "x", "y"));
    assertThat(parsed.rejected())
        .containsExactly(new Rejection(Rule.TRUNCATED, "", "E f g h\nz\ncut he"));
  }

  @Test
  void namesWhatATaskLacks() {
    var parsed = parse(" A b c d\n###\n5. Instruction: E f\n5. Input:\nz\n###\n6. Instruction:");

    assertThat(parsed.kept()).isEmpty();
    assertThat(parsed.rejected())
        .containsExactly(
            new Rejection(Rule.MALFORMED, "no Output", "A b c d"),
            new Rejection(Rule.MALFORMED, "no Output", "E f\nz"));
  }

  @Test
  void aTaskWithoutTheInputHeadHasNoInput() {
    assertThat(parse(" A b c d\n4. Output:\ny").kept())
        .containsExactly(new GeneratedTask("A b c d", "", "y"));
  }

  @Test
  void aHeadOfTheTaskThatComesTwiceOrLateMakesItMalformed() {
    assertThat(parse(" A b c d\n4. Output:\ny\n4. Output: z").rejected())
        .containsExactly(new Rejection(Rule.MALFORMED, "a second or late Output", "A b c d\ny\nz"));
    assertThat(parse(" A b c d\n4. Output:\ny\n4. Input: z").rejected())
        .containsExactly(new Rejection(Rule.MALFORMED, "a second or late Input", "A b c d\ny\nz"));
  }

  @Test
  void anEmptyReplyProposesNothing() {
    assertThat(parse("")).isEqualTo(new Parsed<>(List.of(), List.of()));
  }

  @Property(seed = "20260801")
  void readsAnyText(
      @ForAll
          @StringLength(max = 200)
          @CharRange(from = '1', to = '6')
          @Chars({'\n', '#', ' ', '.', ')', ':', 'I', '*', '\uD83D'})
          String noise,
      @ForAll boolean strict,
      @ForAll boolean cut) {
    String reply =
        noise.replace("I", "Instruction:").replace("1", "Input:").replace("2", "Output:");

    var parsed = AlpacaReplyParser.parse(reply, cut ? "length" : "stop", 3, strict);

    int chars =
        parsed.kept().stream()
            .mapToInt(t -> t.instruction().length() + t.input().length() + t.output().length())
            .sum();
    assertThat(chars).isLessThanOrEqualTo(reply.length());
  }

  @Property(seed = "20260801")
  void whatIsShownIsReadBack(
      @ForAll @StringLength(min = 1, max = 40) @CharRange(from = 'a', to = 'z') String instruction,
      @ForAll @StringLength(max = 40) @CharRange(from = 'a', to = 'z') String input,
      @ForAll @StringLength(min = 1, max = 40) @CharRange(from = 'a', to = 'z') String output) {
    var task = new GeneratedTask(instruction, input, output);
    String prompt = PromptTemplates.load(Optional.empty()).alpaca(List.of(task, task));
    String shown = prompt.substring(prompt.indexOf("1. Instruction:") + "1. Instruction:".length());
    String listed = shown.substring(0, shown.lastIndexOf("###"));

    assertThat(AlpacaReplyParser.parse(listed, "stop", 0, false).kept())
        .containsExactly(task, task);
    assertThat(AlpacaReplyParser.parse(listed, "stop", 0, true).kept()).containsExactly(task, task);
  }

  private static Parsed<GeneratedTask> parse(String reply) {
    return AlpacaReplyParser.parse(reply, "stop", 3, false);
  }
}
