package dev.distillery.model.nn;

import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.nn.DecoderLayout.LinearLayout;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A decoder's matrices as they lie for decoding. */
public final class PackedWeights implements AutoCloseable {
  private final List<Block.PackedLayer> layers;
  private final Packed head;
  private final @Nullable EmbeddingRows embedding;

  /** Reads one row of the token embedding as float32. */
  interface EmbeddingRows {
    void read(int id, FloatBuffer into);
  }

  PackedWeights(List<Block.PackedLayer> layers, Packed head, @Nullable EmbeddingRows embedding) {
    this.layers = List.copyOf(layers);
    this.head = head;
    this.embedding = embedding;
  }

  static PackedWeights of(ModelConfig config, Kernels kernels, Parameters parameters) {
    DecoderLayout layout = new DecoderLayout(config);
    List<Block.PackedLayer> layers = new ArrayList<>();
    for (int i = 0; i < config.layers(); i++) {
      layers.add(
          new Block.PackedLayer(
              pack(kernels, parameters, layout.attentionIn(i)),
              pack(kernels, parameters, layout.attentionOut(i)),
              pack(kernels, parameters, layout.mlpIn(i)),
              pack(kernels, parameters, layout.mlpOut(i))));
    }
    Packed head =
        parameters
            .stored()
            .slot(layout.head())
            .map(parts -> kernels.pack(parts.get(0), false))
            .orElseGet(() -> kernels.pack(parameters.get(layout.head()), false));
    return new PackedWeights(layers, head, null);
  }

  private static List<Packed> pack(Kernels kernels, Parameters parameters, LinearLayout linear) {
    Optional<List<Stored>> stored = parameters.stored().slot(linear.slot());
    if (stored.isEmpty()) {
      return List.of(kernels.pack(parameters.get(linear.slot()), linear.inputsFirst()));
    }
    return stored.get().stream().map(part -> kernels.pack(part, linear.inputsFirst())).toList();
  }

  /** A packed matrix together with the float32 memory that it is a view of. */
  record Owned(Packed packed, Memory memory) implements Packed {
    @Override
    public int rows() {
      return packed.rows();
    }

    @Override
    public int columns() {
      return packed.columns();
    }

    @Override
    public long bytes() {
      return packed.bytes();
    }

    @Override
    public Packed view() {
      return packed;
    }

    @Override
    public void close() {
      packed.close();
      memory.close();
    }
  }

  Block.PackedLayer layer(int i) {
    return layers.get(i);
  }

  /** The output head, [vocabulary, hidden]. */
  public Packed head() {
    return head;
  }

  /** Bytes that decoding one token reads. */
  public long bytes() {
    return layers.stream()
            .flatMap(
                l ->
                    List.of(l.attentionIn(), l.attentionOut(), l.mlpIn(), l.mlpOut()).stream()
                        .flatMap(List::stream))
            .mapToLong(Packed::bytes)
            .sum()
        + head.bytes();
  }

  void embed(Tensor out, int[] ids) {
    if (embedding == null) {
      throw new IllegalStateException("These weights are views: the decoder has the embedding");
    }
    float[] rows = new float[ids.length * out.columns()];
    for (int i = 0; i < ids.length; i++) {
      embedding.read(ids[i], FloatBuffer.wrap(rows, i * out.columns(), out.columns()));
    }
    out.write(rows);
  }

  @Override
  public void close() {
    for (Block.PackedLayer layer : layers) {
      layer.attentionIn().forEach(Packed::close);
      layer.attentionOut().forEach(Packed::close);
      layer.mlpIn().forEach(Packed::close);
      layer.mlpOut().forEach(Packed::close);
    }
    head.close();
  }
}
