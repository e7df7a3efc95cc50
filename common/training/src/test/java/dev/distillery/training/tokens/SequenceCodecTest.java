package dev.distillery.training.tokens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.SplittableRandom;
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
