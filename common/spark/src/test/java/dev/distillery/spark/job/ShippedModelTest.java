package dev.distillery.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

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
  void foldersOfOneNameAreUnpackedApart() {
    assertThat(ShippedModel.folder("runs/a/final")).isEqualTo(ShippedModel.folder("runs/a/final/"));
    assertThat(ShippedModel.folder("runs/a/final"))
        .startsWith("final-")
        .isNotEqualTo(ShippedModel.folder("runs/b/final"));
  }
}
