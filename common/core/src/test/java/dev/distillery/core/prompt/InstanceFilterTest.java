package dev.distillery.core.prompt;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

class InstanceFilterTest {

  @Test
  void dropsWhatTeachesNothing() {
    var parsed =
        InstanceFilter.filter(
            List.of(
                new TaskInstance("2", "two"),
                new TaskInstance("3", ""),
                new TaskInstance("", ""),
                new TaskInstance("4", "4"),
                new TaskInstance("five: ", "5"),
                new TaskInstance("6", "it is:")));

    assertThat(parsed.kept()).containsExactly(new TaskInstance("2", "two"));
    assertThat(parsed.rejected())
        .containsExactly(
            new Rejection(Rule.EMPTY_OUTPUT, "", "3\n"),
            new Rejection(Rule.EMPTY_OUTPUT, "", ""),
            new Rejection(Rule.INPUT_EQUALS_OUTPUT, "", "4\n4"),
            new Rejection(Rule.ENDS_WITH_COLON, "input", "five: \n5"),
            new Rejection(Rule.ENDS_WITH_COLON, "output", "6\nit is:"));
  }

  @Test
  void dropsTheWholeTaskWhereOneInputHasTwoOutputs() {
    var parsed =
        InstanceFilter.filter(
            List.of(
                new TaskInstance("2", "even"),
                new TaskInstance("3", "odd"),
                new TaskInstance("2", "odd")));

    assertThat(parsed.kept()).isEmpty();
    assertThat(parsed.rejected())
        .extracting(Rejection::rule)
        .containsOnly(Rule.CONFLICTING_OUTPUTS)
        .hasSize(3);
  }

  @Test
  void severalOutputsWithoutInputAreNoConflictAndCopiesCollapse() {
    var parsed =
        InstanceFilter.filter(
            List.of(
                new TaskInstance("", "b"),
                new TaskInstance("", "a"),
                new TaskInstance("", "b"),
                new TaskInstance("x", "y"),
                new TaskInstance("x", "y")));

    assertThat(parsed.kept())
        .containsExactly(
            new TaskInstance("", "b"), new TaskInstance("", "a"), new TaskInstance("x", "y"));
    assertThat(parsed.rejected())
        .containsExactly(
            new Rejection(Rule.DUPLICATE_INSTANCE, "", "b"),
            new Rejection(Rule.DUPLICATE_INSTANCE, "", "x\ny"));
  }

  @Property(seed = "20260801")
  void everyInstanceIsKeptOrRejectedAndWhatIsKeptStaysKept(
      @ForAll List<@StringLength(max = 1) String> texts) {
    List<TaskInstance> instances =
        texts.stream().map(text -> new TaskInstance(text, text + text)).toList();

    var once = InstanceFilter.filter(instances);
    var twice = InstanceFilter.filter(once.kept());

    assertThat(once.kept().size() + once.rejected().size()).isEqualTo(instances.size());
    assertThat(twice).isEqualTo(new Parsed<>(once.kept(), List.of()));
  }
}
