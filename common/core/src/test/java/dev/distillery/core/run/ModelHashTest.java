package dev.distillery.core.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
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

  @Test
  void aFileThatIsReplacedChangesTheStampAndIsHashedAgain() throws IOException {
    Path model = model("replaced", "one");
    Path file = model.resolve("model.safetensors");
    Path templates = Files.createDirectory(model.resolve("additional_chat_templates"));
    Path template = Files.writeString(templates.resolve("rag.jinja"), "one");
    String before = ModelHash.stamp(model);
    String hash = ModelHash.of(model);
    assertThat(ModelHash.stamp(model)).isEqualTo(before);
    FileTime time = Files.getLastModifiedTime(file);
    Files.setLastModifiedTime(file, FileTime.fromMillis(time.toMillis() + 1000));
    String touched = ModelHash.stamp(model);
    assertThat(touched).isNotEqualTo(before);
    assertThat(ModelHash.of(model)).isEqualTo(hash);
    // Another file of the same length and time in its place.
    Path other = Files.writeString(folder.resolve("other"), "two");
    Files.setLastModifiedTime(other, Files.getLastModifiedTime(file));
    Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
    String moved = ModelHash.stamp(model);
    assertThat(moved).isNotEqualTo(touched);
    assertThat(ModelHash.of(model)).isNotEqualTo(hash);
    Files.writeString(template, "longer");
    assertThat(ModelHash.stamp(model)).isNotEqualTo(moved);
  }

  private Path model(String name, String weights) throws IOException {
    Path model = Files.createDirectory(folder.resolve(name));
    Files.writeString(model.resolve("config.json"), "{}");
    Files.writeString(model.resolve("model.safetensors"), weights);
    return model;
  }
}
