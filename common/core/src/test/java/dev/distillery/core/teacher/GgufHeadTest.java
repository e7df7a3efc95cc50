package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufHeadTest {
  @TempDir private Path folder;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  private GgufHeadTest u32(int value) {
    bytes.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    return this;
  }

  private GgufHeadTest u64(long value) {
    bytes.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
    return this;
  }

  private GgufHeadTest text(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    u64(utf8.length);
    bytes.writeBytes(utf8);
    return this;
  }

  private GgufHeadTest head(long entries) {
    bytes.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
    return u32(3).u64(7).u64(entries);
  }

  private Path file() throws Exception {
    return Files.write(folder.resolve("m.gguf"), bytes.toByteArray());
  }

  @Test
  void readsScalarsAndSkipsArrays() throws Exception {
    head(5);
    text("general.architecture").u32(8).text("llama");
    text("tokens").u32(9).u32(8).u64(2).text("a").text("bc");
    text("scores").u32(9).u32(6).u64(3).u32(0).u32(0).u32(0);
    text("llama.context_length").u32(4).u32(8192);
    text("tokenizer.ggml.add_bos_token").u32(7).bytes.write(1);

    GgufHead metadata = GgufHead.read(file());

    assertThat(metadata.name()).isEqualTo("llama");
    assertThat(metadata.contextLength()).isEqualTo(8192);
    assertThat(metadata.addsBeginToken()).isTrue();
  }

  @Test
  void beginTokenGoesByTheTokenizerWhereTheFileDoesNotSay() throws Exception {
    head(2);
    text("tokenizer.ggml.model").u32(8).text("gpt2");
    text("tokenizer.ggml.pre").u32(8).text("smollm");

    assertThat(GgufHead.read(file()).addsBeginToken()).isFalse();
  }

  @Test
  void everyTruncationIsRefused() throws Exception {
    head(1).text("tokens").u32(9).u32(8).u64(2).text("a").text("bc");
    byte[] whole = bytes.toByteArray();
    for (int length = 0; length < whole.length; length++) {
      Path file = Files.write(folder.resolve("cut.gguf"), Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> GgufHead.read(file))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("Cannot use " + file + ": ")
          .hasMessageEndingWith(": it is truncated or its header lies");
    }
  }

  @Test
  void lengthsAreNotBelieved() throws Exception {
    head(1).text("key").u32(8).u64(1L << 60);
    Path file = file();

    assertThatThrownBy(() -> GgufHead.read(file))
        .hasMessage(
            "Cannot use %s: metadata key has a length of 1152921504606846976 bytes, and 0"
                + " are left: it is truncated or its header lies",
            file);
  }

  @Test
  void otherFilesAreRefused() throws Exception {
    Path file = Files.writeString(folder.resolve("x.gguf"), "{\"model\": 1}");

    assertThatThrownBy(() -> GgufHead.read(file))
        .hasMessage("Cannot use %s: it does not begin with GGUF", file);
  }

  @Test
  void missingFileIsRefusedWithTheOption() {
    var settings = GgufTeacherIT.settings(folder.resolve("none.gguf"), 0);

    assertThatThrownBy(() -> new GgufTeacher(settings))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("--model '" + folder.resolve("none.gguf") + "' is not a file");
  }
}
