package dev.distillery.model.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.Golden;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every kernel set writes, greedily and from BOS alone, what llama2.c's run.c writes. */
public abstract class StoriesParity {
  /** Steps of run.c, unless it is told otherwise. */
  private static final int STEPS = 256;

  @TempDir private Path temp;

  /** The kernels under test. */
  protected abstract Kernels kernels();

  @Test
  void writesTheTextOfTheReferenceOnASmallModelOfOurOwn() throws IOException {
    JsonNode expected =
        new ObjectMapper().readTree(Golden.copy("format/llama2c-greedy.json", temp).toFile());
    int length = expected.get("ids").size();

    assertThat(
            text(
                Golden.copy("format/llama2c.bin", temp),
                Golden.copy("tokenizer/llama2c.bin", temp),
                length))
        .isEqualTo(expected.get("text").textValue());
  }

  @Test
  void writesThePublishedStory() throws IOException {
    Path folder = Path.of("../../../shared/data/tiny-llama-260k");
    assumeTrue(Files.isDirectory(folder), "stories260K is not beside the repository");
    String page = Files.readString(folder.resolve("stories260K.md"));
    String command = "-t 0.0\n";
    int begin = page.indexOf(command) + command.length();
    String published = page.substring(begin, page.indexOf("\n```", begin));
    assertThat(published).startsWith("Once upon a time").hasSizeGreaterThan(500);

    assertThat(text(folder.resolve("stories260K.bin"), folder.resolve("tok512.bin"), STEPS))
        .isEqualTo(published);
  }

  private String text(Path checkpoint, Path vocabulary, int length) throws IOException {
    Tokenizer tokenizer = Tokenizers.open(vocabulary);
    try (ModelFiles files = ModelFiles.open(checkpoint);
        Kernels kernels = kernels();
        Parameters parameters =
            Parameters.allocate(kernels, DecoderLayout.slots(files.config()), slot -> false)) {
      Weights.load(parameters.frozen(), files.weights());
      try (Decoder decoder =
              new Decoder(files.config(), kernels, parameters, Optional.empty(), false);
          Generator generator = new Generator(decoder, ids -> tokenizer.decode(ids, true))) {
        List<Generator.Prompt> prompts = List.of(new Generator.Prompt(0, tokenizer.prefix()));
        GenerationOptions options = GenerationOptions.greedy(length, files.specialTokens().stop());
        return generator.generate(prompts, options, 1, (row, token) -> {}).get(0).text();
      }
    }
  }
}
