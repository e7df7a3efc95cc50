package dev.distillery.core.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelHashTest {
  @TempDir Path folder;

  @Test
  void aFileHasTheSumThatSha256sumGivesUnderAnyNameAndBehindALink() throws IOException {
    Path file = Files.writeString(folder.resolve("model.gguf"), "one");
    Path link = Files.createSymbolicLink(folder.resolve("latest.gguf"), file);
    assertThat(ModelHash.of(file))
        .isEqualTo("7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed")
        .isEqualTo(ModelHash.of(link));
  }

  @Test
  void aDirectoryIsItsFilesWhereverItLies() throws IOException {
    Path model = model("a", "weights");
    String hash = ModelHash.of(model);
    assertThat(ModelHash.of(Files.createSymbolicLink(folder.resolve("latest"), model)))
        .as("Behind a link, as caches of models have it")
        .isEqualTo(hash);
    assertThat(ModelHash.of(model("b", "weights"))).isEqualTo(hash);
    assertThat(ModelHash.of(model("c", "others"))).isNotEqualTo(hash);

    String tree = ModelHash.ofTree(model);
    Files.writeString(Files.createDirectory(model.resolve("below")).resolve("x.jsonl"), "x");
    assertThat(ModelHash.of(model)).isEqualTo(hash);
    assertThat(ModelHash.ofTree(model)).isNotEqualTo(tree);
  }

  private Path model(String name, String weights) throws IOException {
    Path model = Files.createDirectory(folder.resolve(name));
    Files.writeString(model.resolve("config.json"), "{}");
    Files.writeString(model.resolve("model.safetensors"), weights);
    return model;
  }
}
