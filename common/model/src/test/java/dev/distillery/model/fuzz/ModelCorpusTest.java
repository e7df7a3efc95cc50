package dev.distillery.model.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.testing.Corpus;
import dev.distillery.core.testing.FuzzedFolder;
import dev.distillery.model.constrain.JsonConstraintFuzz;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.tokenizer.Tokenizers;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The corpus of each target, and each input cut, doubled and with a byte changed. */
class ModelCorpusTest {
  /** A seed that is refused at once would lead a fuzzer nowhere. */
  @Test
  void theSeedsAreWhole() throws Exception {
    for (Path seed : Corpus.seeds("GgufModelFuzz")) {
      try (ModelFiles model = ModelFiles.open(seed)) {
        assertThat(Tokenizers.of(model).encode("a")).as(seed.toString()).isNotEmpty();
      }
    }
    for (Path seed : Corpus.seeds("ModelFolderFuzz")) {
      try (var folder =
              new FuzzedFolder(Files.readAllBytes(seed), "config.json", "model.safetensors");
          ModelFiles model = ModelFiles.open(folder.path())) {
        assertThat(model.config().layers()).as(seed.toString()).isEqualTo(1);
      }
    }
    for (Path seed : Corpus.seeds("AdapterFuzz")) {
      try (var folder =
              new FuzzedFolder(
                  Files.readAllBytes(seed), "adapter_config.json", "adapter_model.safetensors");
          var weights = AdapterFiles.read(folder.path()).weights()) {
        assertThat(weights).as(seed.toString()).isNotNull();
      }
    }
    for (Path seed : Corpus.seeds("TokenizerFuzz")) {
      assertThat(Tokenizers.open(seed).encode("Two")).as(seed.toString()).isNotEmpty();
    }
  }

  @Test
  void everyInputIsReadOrRefused() throws Exception {
    int inputs =
        Corpus.replay("AdapterFuzz", AdapterFuzz::fuzzerTestOneInput)
            + Corpus.replay("JsonConstraintFuzz", JsonConstraintFuzz::fuzzerTestOneInput)
            + Corpus.replay("GgufModelFuzz", GgufModelFuzz::fuzzerTestOneInput)
            + Corpus.replay("ModelFolderFuzz", ModelFolderFuzz::fuzzerTestOneInput)
            + Corpus.replay("TemplateFuzz", TemplateFuzz::fuzzerTestOneInput)
            + Corpus.replay("TokenizerFuzz", TokenizerFuzz::fuzzerTestOneInput);
    assertThat(inputs).isGreaterThan(500);
  }
}
