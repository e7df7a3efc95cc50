package dev.distillery.training.tokens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.zip.CRC32;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class SequenceCodecTest {
  @Property(tries = 200)
  void whatIsWrittenIsRead(
      @ForAll @IntRange(min = 1, max = 700) int tokens,
      @ForAll @IntRange(min = 10, max = 200_000) int vocabulary,
      @ForAll long seed)
      throws IOException {
    TokenSequence sequence = sequence(tokens, vocabulary, seed);

    TokenSequence read = SequenceCodec.decode(SequenceCodec.encode(sequence));

    assertThat(read.ids()).isEqualTo(sequence.ids());
    assertThat(read.weights()).isEqualTo(sequence.weights());
    assertThat(read.starts()).isEqualTo(sequence.starts());
    assertThat(read.label()).isEqualTo(TokenSequence.NO_LABEL);
  }

  @Example
  void figuresComeBack() throws IOException {
    TokenSequence row =
        new TokenSequence(new int[] {5, 6}, new float[] {0, 1}, new int[] {0, 1})
            .with(-0.5f, 0, Float.MIN_VALUE);

    TokenSequence read = SequenceCodec.decode(SequenceCodec.encode(row));

    assertThat(read.figures()).containsExactly(-0.5f, 0, Float.MIN_VALUE);
    assertThat(read.ids()).containsExactly(5, 6);
  }

  @Property(tries = 20)
  void aClassComesBack(@ForAll @IntRange(max = 65_535) int label) throws IOException {
    var row = new TokenSequence(new int[] {5}, new float[] {1}, new int[] {0}, label);

    assertThat(SequenceCodec.decode(SequenceCodec.encode(row)).label()).isEqualTo(label);
  }

  @Property(tries = 200)
  void aChangedOrShortenedRowIsRefused(
      @ForAll @IntRange(min = 1, max = 50) int tokens, @ForAll long seed) {
    byte[] bytes = SequenceCodec.encode(sequence(tokens, 1000, seed));
    var random = new SplittableRandom(seed);
    byte[] changed = bytes.clone();
    changed[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
    byte[] shortened = java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length));

    assertThatThrownBy(() -> SequenceCodec.decode(changed)).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> SequenceCodec.decode(shortened)).isInstanceOf(IOException.class);
  }

  /** Of bytes whose checksum is right, as a writer with a fault would leave them. */
  @Example
  void bytesThatAreNotOneRowAreRefused() {
    int[] one = {1, 2, 0, 5, 1, 1, 0, 0, 0, 0, 1, 0, 0};
    assertThat(refusal(one)).isEqualTo("none");
    assertThat(refusal(1, 3, 0, 0, 0, 5, 1, 1, 0, 0, 0, 0, 1, 0, 0)).contains("do not fit");
    assertThat(refusal(0, 2, 0, 0, 0, 0)).as("no tokens").contains("do not fit");
    assertThat(refusal(1, 2, 0, 5, 0, 1, 0, 0)).as("no weights").contains("do not fit");
    assertThat(refusal(1, 2, 0, 5, 1, 1, 0, 0, 0, 0, 0, 0, 0)).as("no start").contains("fit");
    assertThat(refusal(Arrays.copyOf(one, one.length + 1))).as("more").contains("do not fit");
    assertThat(refusal(1, 4, 255, 0, 0, 5, 1, 1, 0, 0, 0, 0, 1, 0, 0)).contains("an id of the row");
    assertThat(refusal(2, 2, 0, 5, 0, 5, 1, 2, 0, 0, 0, 0, 2, 2, 0, 0))
        .as("a document behind the end")
        .contains("beyond 1");
  }

  private static String refusal(int... row) {
    ByteBuffer bytes = ByteBuffer.allocate(row.length + Integer.BYTES);
    for (int each : row) {
      bytes.put((byte) each);
    }
    var sum = new CRC32();
    sum.update(bytes.array(), 0, row.length);
    bytes.putInt((int) sum.getValue());
    try {
      SequenceCodec.decode(bytes.array());
      return "none";
    } catch (IOException e) {
      return e.getMessage();
    }
  }

  private static TokenSequence sequence(int tokens, int vocabulary, long seed) {
    var random = new SplittableRandom(seed);
    int[] ids = random.ints(tokens, 0, vocabulary).toArray();
    float[] weights = new float[tokens];
    for (int t = 0; t < tokens; t++) {
      weights[t] = random.nextInt(4) == 0 ? random.nextInt(3) / 2f : t == 0 ? 0 : weights[t - 1];
    }
    int[] starts = random.ints(tokens, 0, tokens).filter(s -> s > 0).distinct().sorted().toArray();
    int[] all = new int[starts.length + 1];
    System.arraycopy(starts, 0, all, 1, starts.length);
    return new TokenSequence(ids, weights, all);
  }
}
