package dev.distillery.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShippedModelTest {
  /** As an executor reads it: see org.apache.spark.executor.Executor. */
  @Test
  void aFolderOfAnyNameIsUnpackedUnderIt() throws Exception {
    for (String name : new String[] {"student", "models ü x", "50% #1"}) {
      URI sent = new URI(ShippedModel.named(Path.of("/tmp/some place/a.zip"), name));
      assertThat(sent.getPath()).isEqualTo("/tmp/some place/a.zip");
      assertThat(sent.getFragment()).isEqualTo(name);
    }
  }

  @Test
  void aFileThatIsReplacedChangesTheStamp(@TempDir Path temp) throws Exception {
    Path file = Files.writeString(temp.resolve("model.safetensors"), "one");
    Path templates = Files.createDirectory(temp.resolve("additional_chat_templates"));
    Path template = Files.writeString(templates.resolve("rag.jinja"), "one");
    String before = ShippedModel.stamp(temp);
    assertThat(ShippedModel.stamp(temp)).isEqualTo(before);
    FileTime time = Files.getLastModifiedTime(file);
    Files.setLastModifiedTime(file, FileTime.fromMillis(time.toMillis() + 1000));
    String touched = ShippedModel.stamp(temp);
    assertThat(touched).isNotEqualTo(before);
    // Another file of the same length and time in its place.
    Path other = Files.writeString(temp.resolve("other"), "two");
    Files.setLastModifiedTime(other, Files.getLastModifiedTime(file));
    Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
    String moved = ShippedModel.stamp(temp);
    assertThat(moved).isNotEqualTo(touched);
    Files.writeString(template, "longer");
    assertThat(ShippedModel.stamp(temp)).isNotEqualTo(moved);
    assertThat(ShippedModel.stamp(temp.resolve("none"))).isEmpty();
  }

  @Test
  void foldersOfOneNameAreUnpackedApart() {
    assertThat(ShippedModel.folder("runs/a/final")).isEqualTo(ShippedModel.folder("runs/a/final/"));
    assertThat(ShippedModel.folder("runs/a/final"))
        .startsWith("final-")
        .isNotEqualTo(ShippedModel.folder("runs/b/final"));
  }
}
