package dev.distillery.core.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.JobException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PromptTemplatesTest {
  private static final PromptTemplates PACKAGED = PromptTemplates.load(Optional.empty());

  @TempDir Path directory;

  @Test
  void anAlpacaPromptShowsTasksAndOpensTheNext() {
    String prompt =
        PACKAGED.alpaca(
            List.of(
                new GeneratedTask("Name  a\nriver:", "", "The {{count}} Amazon, $1"),
                new GeneratedTask("Count.", "a\nb", "2")));

    assertThat(prompt)
        .startsWith("Make a list of 20 varied tasks")
        .endsWith(
            """
            The 20 tasks:
            ###
            1. Instruction: Name a river
            1. Input:
            <noinput>
            1. Output:
            The {{count}} Amazon, $1
            ###
            2. Instruction: Count.
            2. Input:
            a
            b
            2. Output:
            2
            ###
            3. Instruction:""");
  }

  @Test
  void anInstructionPromptNumbersItsTasksAndOpensTheNext() {
    assertThat(PACKAGED.newInstructions(Collections.nCopies(8, " Say  hello: ")))
        .contains("up to number 15.")
        .endsWith(
            """


            1. Say hello
            2. Say hello
            3. Say hello
            4. Say hello
            5. Say hello
            6. Say hello
            7. Say hello
            8. Say hello
            9.""");
  }

  @Test
  void aClassificationPromptHas12And19Examples() {
    String prompt = PACKAGED.classification("Is it ripe?");

    assertThat(prompt.split("Is it classification\\? Yes\n", -1)).hasSize(13);
    assertThat(prompt.split("Is it classification\\? No\n", -1)).hasSize(20);
    assertThat(prompt).endsWith("\nTask: Is it ripe?\nIs it classification?");
  }

  @Test
  void instancePromptsEndInTheTask() {
    assertThat(PACKAGED.instancesInputFirst("Sort it.")).endsWith("\n\nTask: Sort it.");
    assertThat(PACKAGED.instancesOutputFirst("Is it odd?")).endsWith("\n\nTask: Is it odd?");
  }

  @Test
  void theExamplesOfTheInstancePromptsFollowTheFormatThatIsParsed() {
    String gen = PACKAGED.instancesInputFirst("x");
    assertThat(gen.substring(gen.indexOf("Task:")).split("Task:"))
        .filteredOn(task -> task.contains("Example"))
        .hasSize(5)
        .allSatisfy(
            task ->
                assertThat(InstanceParser.parse(task, "stop", false, false).kept()).isNotEmpty());
    String classification = PACKAGED.instancesOutputFirst("x");
    assertThat(classification.substring(classification.indexOf("Task:")).split("Task:"))
        .filteredOn(task -> task.contains("Class label:"))
        .hasSize(6)
        .allSatisfy(
            task ->
                assertThat(InstanceParser.parse(task, "stop", true, false).kept()).isNotEmpty());
  }

  @Test
  void aDirectoryReplacesOnlyTheTemplatesThatItHolds() throws IOException {
    Files.writeString(directory.resolve("classification.txt"), "Labels? {{instruction}} \n\n");

    PromptTemplates replaced = PromptTemplates.load(Optional.of(directory));

    assertThat(replaced.classification("Is it ripe?")).isEqualTo("Labels? Is it ripe?");
    assertThat(replaced.instancesInputFirst("x")).isEqualTo(PACKAGED.instancesInputFirst("x"));
    assertThat(replaced.fingerprint()).matches("[0-9a-f]{64}").isNotEqualTo(PACKAGED.fingerprint());
  }

  @Test
  void namesAllThatIsWrongWithReplacements() {
    assertThatThrownBy(
            () ->
                PromptTemplates.of(
                    Map.of(
                        "alpaca.txt", "Up to {{count}}\n{{taks}} and {{ x }}",
                        "clasification.txt", "{{instruction}}",
                        "instructions.txt", "x".repeat(65_537))))
        .isInstanceOf(JobException.class)
        .hasMessage(
            """
            5 problems:
              - alpaca.txt: line 2: {{taks}} is unknown here; known: {{count}}, {{tasks}}
              - alpaca.txt: line 2: {{ does not begin a placeholder such as {{count}}, {{tasks}}
              - alpaca.txt: lacks {{tasks}}; put it where it belongs
              - instructions.txt: has 65537 characters; at most 65536
              - clasification.txt: is not the name of a prompt template; known: alpaca.txt, instructions.txt, classification.txt, instances-input-first.txt, instances-output-first.txt""");
  }

  @Test
  void refusesADirectoryThatIsNotThereAndBytesThatAreNoText() throws IOException {
    assertThatThrownBy(() -> PromptTemplates.load(Optional.of(directory.resolve("none"))))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("none cannot be read");
    Files.write(directory.resolve("alpaca.txt"), new byte[] {(byte) 0xff});
    assertThatThrownBy(() -> PromptTemplates.load(Optional.of(directory)))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("alpaca.txt: is not valid UTF-8");
  }
}
