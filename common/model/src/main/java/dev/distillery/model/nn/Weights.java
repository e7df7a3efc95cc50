package dev.distillery.model.nn;

import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.ArrayWeights;
import dev.distillery.model.format.HalfFloat;
import dev.distillery.model.format.LayerShape.NormKind;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.TensorSpec;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.format.WeightSource;
import dev.distillery.model.nn.DecoderLayout.LinearLayout;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/** Moves weights between files and {@link Parameters}, and makes fresh ones. */
public final class Weights {
  private static final int CHUNK_VALUES = 1 << 20;

  private Weights() {}

  /**
   * Reads every tensor of the parameters from a source.
   *
   * @throws ModelFileException if one is missing or has another size
   */
  public static void load(ParameterSpace space, WeightSource source) throws IOException {
    for (Slot slot : space.slots()) {
      load(space, slot, source);
    }
  }

  private static void load(ParameterSpace space, Slot slot, WeightSource source)
      throws IOException {
    float[] chunk = new float[(int) Math.min(CHUNK_VALUES, slot.size())];
    for (Slot.Part part : slot.parts()) {
      Tensor into = space.part(part.name()).orElseThrow();
      WeightSource.Weight weight = source.weights().get(part.name());
      if (weight == null || weight.spec().elements() != into.size()) {
        throw new ModelFileException(
            "Tensor %s should have %s values and %s"
                .formatted(
                    part.name(),
                    into.size(),
                    weight == null ? "is missing" : "is " + weight.spec().shape()));
      }
      for (long at = 0; at < into.size(); at += CHUNK_VALUES) {
        int count = (int) Math.min(CHUNK_VALUES, into.size() - at);
        source.read(part.name(), at, FloatBuffer.wrap(chunk, 0, count));
        into.memory().write(into.offset() + at, chunk, 0, count);
      }
    }
  }

  /**
   * What of a student is trained.
   *
   * @param lora the adapters that are trained, where they are
   * @param valueHead whether a value head is trained beside it; it begins at zero
   * @param seed draws adapters, and a classifier's head that the source does not have
   */
  public record Training(
      Trainable trainable, Optional<LoraConfig> lora, boolean valueHead, long seed) {
    /** The slots that the source does not have, but for a classifier's head. */
    private List<Slot> added(ModelConfig config) {
      List<Slot> added = new ArrayList<>(trainable.added(config, lora));
      if (valueHead) {
        added.addAll(DecoderLayout.valueHead(config));
      }
      return added;
    }
  }

  /** As {@link #open(ModelConfig, Kernels, WeightSource, Training, FrozenForm)}, without values. */
  public static Parameters open(
      ModelConfig config,
      Kernels kernels,
      WeightSource source,
      Trainable trainable,
      Optional<LoraConfig> lora,
      FrozenForm form,
      long seed)
      throws IOException {
    return open(config, kernels, source, new Training(trainable, lora, false, seed), form);
  }

  /**
   * A student to train.
   *
   * @param form how matrices that are not trained lie in memory; as they lie in their file, the
   *     source must stay open
   * @throws ModelFileException if a tensor is missing or has another size
   */
  public static Parameters open(
      ModelConfig config, Kernels kernels, WeightSource source, Training training, FrozenForm form)
      throws IOException {
    List<Slot> drawn = training.added(config);
    Set<String> trained = training.trainable().trained(config, drawn);
    List<Slot> read = new ArrayList<>();
    StoredWeights stored = new StoredWeights();
    for (Slot slot : DecoderLayout.slots(config)) {
      boolean absent =
          slot.name().equals(ModelTensors.SCORE) && !source.weights().containsKey(slot.name());
      boolean matrix = slot.decayed() && !slot.name().equals(new DecoderLayout(config).positions());
      if (absent) {
        drawn.add(slot);
      } else if (matrix && !trained.contains(slot.name()) && isStored(source, slot, form)) {
        stored.put(slot.name(), store(kernels, source, slot, form));
      } else {
        read.add(slot);
      }
    }
    List<Slot> widened = new ArrayList<>(read);
    widened.addAll(drawn);
    Parameters spaces =
        Parameters.allocate(kernels, widened, slot -> trained.contains(slot.name()));
    Parameters parameters = new Parameters(spaces.trainable(), spaces.frozen(), stored);
    for (Slot slot : read) {
      load(trained.contains(slot.name()) ? spaces.trainable() : spaces.frozen(), slot, source);
    }
    for (Slot slot : drawn) {
      begin(parameters.get(slot.name()), slot, config, training, source);
    }
    return parameters;
  }

  /** Whether a slot is not float32 in the wanted form. */
  private static boolean isStored(WeightSource source, Slot slot, FrozenForm form)
      throws ModelFileException {
    boolean float32 = true;
    for (Slot.Part part : slot.parts()) {
      TensorType type = weight(source, part).type();
      float32 &= type == TensorType.F32 || type == TensorType.F64;
    }
    return switch (form) {
      case FLOAT32 -> false;
      case AS_STORED -> !float32;
      case BFLOAT16 -> true;
    };
  }

  private static List<Stored> store(
      Kernels kernels, WeightSource source, Slot slot, FrozenForm form) throws IOException {
    List<Stored> parts = new ArrayList<>();
    for (Slot.Part part : slot.parts()) {
      TensorType type = weight(source, part).type();
      if (form == FrozenForm.AS_STORED || type == TensorType.BF16) {
        ByteBuffer bytes = source.rows(part.name(), 0, part.rows());
        parts.add(kernels.store(type, part.rows(), slot.columns(), bytes));
      } else {
        ByteBuffer bytes = bfloat16(source, part.name(), part.rows(), slot.columns());
        parts.add(kernels.store(TensorType.BF16, part.rows(), slot.columns(), bytes));
      }
    }
    return parts;
  }

  private static WeightSource.Weight weight(WeightSource source, Slot.Part part)
      throws ModelFileException {
    WeightSource.Weight weight = source.weights().get(part.name());
    if (weight == null || weight.spec().rows() != part.rows()) {
      throw new ModelFileException(
          "Tensor %s should have %s rows and %s"
              .formatted(
                  part.name(),
                  part.rows(),
                  weight == null ? "is missing" : "is " + weight.spec().shape()));
    }
    return weight;
  }

  private static ByteBuffer bfloat16(WeightSource source, String name, int rows, int columns)
      throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(2 * columns, rows)).order(ByteOrder.LITTLE_ENDIAN);
    float[] row = new float[columns];
    for (int r = 0; r < rows; r++) {
      source.read(name, (long) r * columns, FloatBuffer.wrap(row));
      for (float value : row) {
        bytes.putShort(HalfFloat.bfloat16FromFloat(value));
      }
    }
    return bytes.flip();
  }

  /**
   * The trained weights of {@link #open} alone, in the same slots, for who moves them and computes
   * nothing with the model.
   */
  public static ParameterSpace openTrained(
      ModelConfig config, Kernels kernels, WeightSource source, Training training)
      throws IOException {
    List<Slot> drawn = training.added(config);
    Set<String> trained = training.trainable().trained(config, drawn);
    List<Slot> read = new ArrayList<>();
    for (Slot slot : DecoderLayout.slots(config)) {
      if (trained.contains(slot.name())) {
        boolean absent =
            slot.name().equals(ModelTensors.SCORE) && !source.weights().containsKey(slot.name());
        (absent ? drawn : read).add(slot);
      }
    }
    List<Slot> slots = new ArrayList<>(read);
    slots.addAll(drawn);
    ParameterSpace space = new ParameterSpace(kernels, slots);
    for (Slot slot : read) {
      load(space, slot, source);
    }
    for (Slot slot : drawn) {
      begin(space.slot(slot.name()).orElseThrow(), slot, config, training, source);
    }
    return space;
  }

  /** What no file has begins as it is drawn; rows that are trained, as they are in the model. */
  private static void begin(
      Tensor tensor, Slot slot, ModelConfig config, Training training, WeightSource source)
      throws IOException {
    Optional<String> module = DecoderLayout.tokenModule(slot);
    if (module.isEmpty()) {
      initialise(tensor, slot, config.initializerRange(), training.seed());
      return;
    }
    String matrix = module.get() + ".weight";
    List<Integer> tokens = training.lora().orElseThrow().tokens();
    float[] row = new float[slot.columns()];
    for (int i = 0; i < tokens.size(); i++) {
      source.read(matrix, (long) tokens.get(i) * row.length, FloatBuffer.wrap(row));
      tensor.rows(i, 1).write(row);
    }
  }

  /** A new model, all of it trainable, drawn as its architecture's publishers did. */
  public static Parameters fresh(ModelConfig config, Kernels kernels, long seed) {
    Parameters parameters = Parameters.allocate(kernels, DecoderLayout.slots(config), slot -> true);
    initialise(parameters.trainable(), config, seed);
    return parameters;
  }

  /** As {@link #initialise(ParameterSpace, ModelConfig, Initialisation, long)}, as published. */
  public static void initialise(ParameterSpace space, ModelConfig config, long seed) {
    initialise(space, config, Initialisation.published(config), seed);
  }

  /**
   * Fresh weights: matrices normal around 0, gains 1, biases 0; adapters as PEFT starts them, A
   * uniform in 1 / sqrt(in) and B zero. A value depends on the seed, its slot's name and its place
   * in the slot only.
   */
  public static void initialise(
      ParameterSpace space, ModelConfig config, Initialisation initialisation, long seed) {
    Set<String> scaled = initialisation.scaledSlots(config);
    boolean plusOne = config.architecture().shape().norm() == NormKind.RMS_PLUS_ONE;
    for (Slot slot : space.slots()) {
      if (plusOne && !slot.decayed()) {
        // The gain is one more than the weight, and biases are 0 too.
        space.slot(slot.name()).orElseThrow().write(new float[(int) slot.size()]);
        continue;
      }
      double deviation = config.initializerRange();
      if (scaled.contains(slot.name())) {
        deviation /= Math.sqrt(2.0 * config.layers());
      }
      initialise(space.slot(slot.name()).orElseThrow(), slot, deviation, seed);
    }
  }

  private static void initialise(Tensor tensor, Slot slot, double deviation, long seed) {
    long key = key(seed, slot.name());
    float[] row = new float[slot.columns()];
    for (int r = 0; r < slot.rows(); r++) {
      for (int c = 0; c < row.length; c++) {
        row[c] = (float) initial(slot, deviation, key, (long) r * row.length + c);
      }
      tensor.rows(r, 1).write(row);
    }
  }

  /** Of all characters: two names must not share 32 bits by chance. */
  private static long key(long seed, String name) {
    long key = seed;
    for (int i = 0; i < name.length(); i++) {
      key = CounterRandom.key(key, name.charAt(i));
    }
    return key;
  }

  private static double initial(Slot slot, double deviation, long key, long index) {
    String name = slot.name();
    if (name.endsWith("lora_B.weight")
        || name.endsWith(".bias")
        || DecoderLayout.isValueHead(slot)) {
      return 0;
    }
    if (name.endsWith("lora_A.weight")) {
      return (2 * CounterRandom.uniformDouble(key, index) - 1) / Math.sqrt(slot.columns());
    }
    return slot.decayed() ? deviation * CounterRandom.gaussian(key, index) : 1;
  }

  /**
   * The parameters as a source, for writing files: those tensors that are listed.
   *
   * @param specs names and shapes, as {@code ModelTensors.of} lists a model's
   */
  public static WeightSource source(Parameters parameters, List<TensorSpec> specs) {
    SortedMap<String, WeightSource.Weight> weights = new TreeMap<>();
    for (TensorSpec spec : specs) {
      weights.put(spec.name(), new WeightSource.Weight(spec, TensorType.F32));
    }
    return new Source(parameters, Collections.unmodifiableSortedMap(weights));
  }

  /**
   * What is trained of a student with adapters, as {@code AdapterFiles.write} takes it: the
   * factors, and a head that is trained with them.
   */
  public static WeightSource adapterSource(Parameters parameters) {
    ArrayWeights weights = new ArrayWeights();
    for (Slot slot : parameters.trainable().slots()) {
      TensorSpec spec = new TensorSpec(adapterName(slot), List.of(slot.rows(), slot.columns()));
      weights.put(spec, parameters.get(slot.name()).toArray());
    }
    return weights;
  }

  /**
   * Sets what is trained of a student with adapters from an adapter's files, to go on training it.
   *
   * @param adapter as {@code AdapterFiles.read} gives it
   * @throws ModelFileException if it has not the very tensors that are trained
   */
  public static void loadAdapter(Parameters parameters, WeightSource adapter) throws IOException {
    Set<String> left = new TreeSet<>(adapter.weights().keySet());
    for (Slot slot : parameters.trainable().slots()) {
      String name = adapterName(slot);
      WeightSource.Weight weight = adapter.weights().get(name);
      if (weight == null || !weight.spec().shape().equals(List.of(slot.rows(), slot.columns()))) {
        throw new ModelFileException(
            "The adapter's tensor %s should be %s x %s and %s"
                .formatted(
                    name,
                    slot.rows(),
                    slot.columns(),
                    weight == null ? "is missing" : "is " + weight.spec().shape()));
      }
      parameters.get(slot.name()).write(adapter.read(name));
      left.remove(name);
    }
    if (!left.isEmpty()) {
      throw new ModelFileException(
          "The adapter holds %s, which is not trained here: give its targets"
              .formatted(String.join(", ", left)));
    }
  }

  /** Files of adapters name a factor by its module, without PEFT's prefix. */
  private static String adapterName(Slot slot) {
    return slot.name().startsWith(AdapterFiles.PREFIX)
        ? slot.name().substring(AdapterFiles.PREFIX.length())
        : slot.name();
  }

  private record Source(Parameters parameters, SortedMap<String, Weight> weights)
      implements WeightSource {
    private Tensor tensor(String name) throws ModelFileException {
      if (!weights.containsKey(name)) {
        throw new ModelFileException("Tensor " + name + " is not in the model");
      }
      return parameters
          .part(name)
          .orElseThrow(() -> new ModelFileException("The student has no tensor " + name));
    }

    @Override
    public void read(String name, long start, FloatBuffer into) throws IOException {
      Tensor tensor = tensor(name);
      if (start < 0 || start + into.remaining() > tensor.size()) {
        throw new IndexOutOfBoundsException(
            "Tensor %s ends before value %s".formatted(name, start + into.remaining()));
      }
      float[] chunk = new float[Math.min(CHUNK_VALUES, into.remaining())];
      for (long at = start; into.hasRemaining(); ) {
        int count = Math.min(chunk.length, into.remaining());
        tensor.memory().read(tensor.offset() + at, chunk, 0, count);
        into.put(chunk, 0, count);
        at += count;
      }
    }

    @Override
    public ByteBuffer rows(String name, int firstRow, int count) throws IOException {
      int columns = weights.get(name).spec().columns();
      FloatBuffer values = FloatBuffer.allocate(Math.multiplyExact(count, columns));
      read(name, (long) firstRow * columns, values);
      ByteBuffer bytes = ByteBuffer.allocate(4 * values.capacity()).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(values.flip());
      return bytes.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() {}
  }

  /**
   * A decoder for generation only, whose matrices stay in their file's blocks where the kernels can
   * decode from them. Close it and its {@link Decoder#pack} weights; the source must stay open,
   * since embedding rows are read from it.
   */
  public static Decoder openForDecoding(ModelConfig config, Kernels kernels, WeightSource source)
      throws IOException {
    DecoderLayout layout = new DecoderLayout(config);
    List<Slot> small = new ArrayList<>();
    for (Slot slot : DecoderLayout.slots(config)) {
      if (!slot.decayed() || slot.name().equals(layout.positions())) {
        small.add(slot);
      }
    }
    Parameters parameters = Parameters.allocate(kernels, small, slot -> false);
    load(parameters.frozen(), source);
    List<Block.PackedLayer> layers = new ArrayList<>();
    for (int i = 0; i < config.layers(); i++) {
      layers.add(
          new Block.PackedLayer(
              pack(kernels, source, layout.attentionIn(i)),
              pack(kernels, source, layout.attentionOut(i)),
              pack(kernels, source, layout.mlpIn(i)),
              pack(kernels, source, layout.mlpOut(i))));
    }
    PackedWeights packed =
        new PackedWeights(
            layers,
            pack(kernels, source, layout.head(), false),
            (id, into) -> readRow(source, layout.embedding(), id, into));
    return new Decoder(config, kernels, parameters, packed);
  }

  private static void readRow(WeightSource source, String name, int row, FloatBuffer into) {
    try {
      source.read(name, (long) row * into.remaining(), into);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read row " + row + " of " + name, e);
    }
  }

  private static List<Packed> pack(Kernels kernels, WeightSource source, LinearLayout linear)
      throws IOException {
    List<Packed> parts = new ArrayList<>();
    for (String module : linear.modules()) {
      parts.add(pack(kernels, source, module + ".weight", linear.inputsFirst()));
    }
    return parts;
  }

  private static Packed pack(Kernels kernels, WeightSource source, String name, boolean inputsFirst)
      throws IOException {
    WeightSource.Weight weight = source.weights().get(name);
    if (weight == null) {
      throw new ModelFileException("Tensor " + name + " is missing");
    }
    int rows = weight.spec().rows();
    int columns = weight.spec().columns();
    if (!inputsFirst && kernels.packs(weight.type())) {
      return kernels.pack(weight.type(), rows, columns, source.rows(name, 0, rows));
    }
    Slot slot = Slot.single(name, rows, columns);
    ParameterSpace space = new ParameterSpace(kernels, List.of(slot));
    load(space, source);
    Packed packed = kernels.pack(space.slot(name).orElseThrow(), inputsFirst);
    return new PackedWeights.Owned(packed, space.slot(name).orElseThrow().memory());
  }
}
