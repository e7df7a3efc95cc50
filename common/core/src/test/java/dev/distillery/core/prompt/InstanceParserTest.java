package dev.distillery.core.prompt;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

class InstanceParserTest {

  @Test
  void readsExamplesWithTheirFields() {
    var parsed =
        examples("Example 1\nList: 3, 1\nOutput: 1, 3\n**Example 2**\nInput: 2\n**Output:**\n2");

    assertThat(parsed.kept())
        .containsExactly(new TaskInstance("List: 3, 1", "1, 3"), new TaskInstance("2", "2"));
    assertThat(parsed.rejected()).isEmpty();
  }

  @Test
  void readsAnOutputAlone() {
    assertThat(examples("Output: Light scatters.\n\nFor Example 3 times.").kept())
        .containsExactly(new TaskInstance("", "Light scatters.\n\nFor Example 3 times."));
  }

  @Test
  void wordsWithinATextPartNothing() {
    var parsed =
        examples("Example 1\nText: Give an Example. The Output: none\nOutput: see Input: above");

    assertThat(parsed.kept())
        .containsExactly(
            new TaskInstance("Text: Give an Example. The Output: none", "see Input: above"));
  }

  @Test
  void aSecondOutputOrInputEndsTheFirst() {
    assertThat(examples("Input: a\nOutput: b\nInput 2: c\nOutput 2: d").kept())
        .containsExactly(new TaskInstance("a", "b"));
  }

  @Test
  void namesWhatCannotBeRead() {
    assertThat(examples("Of course!\nExample 1\nList: 3\nExample 2\nOutput: 4").rejected())
        .containsExactly(
            new Rejection(Rule.CHATTER, "", "Of course!"),
            new Rejection(Rule.MALFORMED, "no Output", "List: 3"));
    assertThat(examples("It depends.").rejected())
        .containsExactly(new Rejection(Rule.MALFORMED, "no Example and no Output", "It depends."));
    assertThat(labels("positive").rejected())
        .containsExactly(new Rejection(Rule.MALFORMED, "no Class label", "positive"));
  }

  @Test
  void readsLabelsAndTheirInputs() {
    var parsed =
        labels("Class label: odd\nNumber: 3\n\nClass label: even\nInput: 4\nClass label: none");

    assertThat(parsed.kept())
        .containsExactly(
            new TaskInstance("Number: 3", "odd"),
            new TaskInstance("4", "even"),
            new TaskInstance("", "none"));
  }

  @Test
  void dropsTheLastInstanceOfAReplyThatWasCut() {
    var parsed =
        InstanceParser.parse("Class label: odd\n3\nClass label: ev", "length", true, false);

    assertThat(parsed.kept()).containsExactly(new TaskInstance("3", "odd"));
    assertThat(parsed.rejected()).containsExactly(new Rejection(Rule.TRUNCATED, "", "ev"));
  }

  @Test
  void aCutReplyLosesNoFinishedExample() {
    for (String cut :
        List.of("Example 2", "Example 2\nInput: c", "Example 2\nInput: c\nOutput: d")) {
      String reply = "Example 1\nInput: a\nOutput: b\n" + cut;
      assertThat(InstanceParser.parse(reply, "length", false, false).kept())
          .containsExactly(new TaskInstance("a", "b"));
    }
  }

  @Property(seed = "20260801")
  void readsAnyText(
      @ForAll
          @StringLength(max = 80)
          @CharRange(from = '1', to = '4')
          @Chars({'\n', ' ', ':', '.', '*', 'x', '\r', '\uD83D'})
          String noise,
      @ForAll boolean classification,
      @ForAll boolean strict,
      @ForAll boolean cut) {
    String reply =
        noise
            .replace("1", "Example 1")
            .replace("2", "Output:")
            .replace("3", "Input:")
            .replace("4", "Class label:");

    var parsed = InstanceParser.parse(reply, cut ? "length" : "stop", classification, strict);

    int chars =
        parsed.kept().stream().mapToInt(i -> i.input().length() + i.output().length()).sum();
    assertThat(chars).isLessThanOrEqualTo(reply.length());
  }

  @Test
  void onlyYesIsYes() {
    for (String yes : List.of(" Yes", "yes.", "**Yes**, it is", "Is it classification? Yes")) {
      assertThat(ClassificationAnswer.isClassification(yes, false)).as(yes).isTrue();
    }
    for (String no : List.of("", "No", "Yesterday", "No, but yes", "1")) {
      assertThat(ClassificationAnswer.isClassification(no, false)).as(no).isFalse();
    }
    assertThat(ClassificationAnswer.isClassification(" YES\n", true)).isTrue();
    assertThat(ClassificationAnswer.isClassification("Yes.", true)).isFalse();
  }

  private static Parsed<TaskInstance> examples(String reply) {
    return InstanceParser.parse(reply, "stop", false, false);
  }

  private static Parsed<TaskInstance> labels(String reply) {
    return InstanceParser.parse(reply, "stop", true, false);
  }
}
