package dev.distillery.training.run;

import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.train.AdamW;
import dev.distillery.model.train.GradientSum;
import dev.distillery.model.train.TreeSum;
import dev.distillery.training.tokens.TokenRows;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import org.apache.spark.Partitioner;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.api.java.function.PairFlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.CollectionAccumulator;
import scala.Tuple2;

/**
 * Several workers: a step is one job of stateless tasks. A task computes a run of neighbouring
 * micro-batches from the broadcast weights and gives the sums of the aligned blocks that it holds,
 * cut into slices; each slice is summed by one task of a second stage, by the same tree, and the
 * driver gets one sum a slice. A task that is run again gives the same bits.
 */
final class SparkEngine implements Engine {
  /** Values of one slice: 64 MiB. */
  private static final int MAX_SLICE = 1 << 24;

  /** Micro-batches of an evaluation that one job computes, a worker. */
  private static final int EVALUATED_AT_ONCE = 16;

  /** The slice that stands for the sums of the objective. */
  private static final int SUMS = -1;

  private final JavaSparkContext context;
  private final String run;
  private final PolicySpec spec;
  private final TrainingObjective objective;
  private final Cluster cluster;
  private final Kernels kernels;
  private final ParameterSpace parameters;
  private final ParameterSpace gradient;
  private final int sliceValues;
  private final CollectionAccumulator<Tuple2<String, Long>> computed;
  private final List<Broadcast<float[]>> sent = new ArrayList<>();
  private double exchangeSeconds;
  private long version = 1;

  /**
   * An engine over the driver's own copy of the trained weights.
   *
   * @param run name of this try of the run, for the executors' holders
   */
  SparkEngine(
      JavaSparkContext context,
      String run,
      PolicySpec spec,
      TrainingObjective objective,
      Cluster cluster,
      Kernels kernels,
      ParameterSpace parameters) {
    this.context = context;
    this.run = run;
    this.spec = spec;
    this.objective = objective;
    this.cluster = cluster;
    this.kernels = kernels;
    this.parameters = parameters;
    this.gradient = new ParameterSpace(kernels, parameters.slots());
    this.computed = context.sc().collectionAccumulator();
    // As many slices as workers at least, so that each sums a part.
    long share = (parameters.size() + cluster.workers() - 1) / cluster.workers();
    this.sliceValues = (int) Math.max(1, Math.min(MAX_SLICE, share));
  }

  @Override
  public Kernels kernels() {
    return kernels;
  }

  @Override
  public ParameterSpace parameters() {
    return parameters;
  }

  @Override
  public void moved() {
    version++;
    sent.forEach(Broadcast::destroy);
    sent.clear();
  }

  /** Broadcasts the weights as they are, once for each state of them. */
  private SharedPolicy.Version weights() {
    if (sent.isEmpty()) {
      for (long at = 0; at < parameters.size(); at += sliceValues) {
        float[] slice = new float[(int) Math.min(sliceValues, parameters.size() - at)];
        parameters.read(at, slice, slice.length);
        sent.add(context.broadcast(slice));
      }
    }
    return new SharedPolicy.Version(run, version, sliceValues, List.copyOf(sent));
  }

  /**
   * What one task computes: neighbouring micro-batches, the first of which is leaf {@code first}.
   */
  private record Share(int first, int leaves, List<MicroBatch> microBatches)
      implements Serializable {}

  /** A block's sum of one slice, or of the objective's sums. */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
  private record Part(int level, int index, float[] values, double[] sums)
      implements Serializable {}

  private static final float[] NONE = {};
  private static final double[] NO_SUMS = {};

  /** Cuts micro-batches into neighbouring runs, one a worker, as even as can be. */
  private JavaRDD<Share> shares(List<MicroBatch> microBatches, int firstLeaf, int leaves) {
    int workers = Math.min(cluster.workers(), microBatches.size());
    List<Share> shares = new ArrayList<>();
    for (int w = 0; w < workers; w++) {
      int from = (int) ((long) w * microBatches.size() / workers);
      int to = (int) ((long) (w + 1) * microBatches.size() / workers);
      shares.add(
          new Share(firstLeaf + from, leaves, new ArrayList<>(microBatches.subList(from, to))));
    }
    JavaRDD<Share> rdd = context.parallelize(shares, workers);
    return cluster.profile() == null ? rdd : rdd.withResources(cluster.profile());
  }

  @Override
  public Computed gradient(StepWork work) {
    long started = System.nanoTime();
    int leaves = work.microBatches().size();
    var compute =
        new ComputeGradients(
            spec,
            objective,
            weights(),
            computed,
            cluster.threads(),
            work.normaliser(),
            work.dropout().residual(),
            work.dropout().adapters(),
            work.dropout().key());
    return sum(started, shares(work.microBatches(), 0, leaves).flatMapToPair(compute), leaves);
  }

  /** Adds the parts of all tasks, slice by slice. */
  private Computed sum(long started, JavaPairRDD<Integer, Part> tasks, int leaves) {
    computed.reset();
    int slices = (int) ((parameters.size() + sliceValues - 1) / sliceValues);
    List<Tuple2<Integer, Part>> parts =
        tasks.partitionBy(new BySlice(slices + 1)).mapPartitions(new SumParts(leaves)).collect();
    double[] sums = NO_SUMS;
    for (Tuple2<Integer, Part> part : parts) {
      if (part._1() == SUMS) {
        sums = part._2().sums();
      } else {
        float[] values = part._2().values();
        gradient.write((long) part._1() * sliceValues, values, values.length);
      }
    }
    exchangeSeconds += (System.nanoTime() - started - slowest()) / 1e9;
    return new Computed(gradient, sums);
  }

  /** Nanoseconds that the busiest executor computed; its tasks take turns. */
  private long slowest() {
    Map<String, Long> byExecutor = new HashMap<>();
    computed.value().forEach(task -> byExecutor.merge(task._1(), task._2(), Long::sum));
    return byExecutor.values().stream().mapToLong(nanos -> nanos).max().orElse(0);
  }

  /** Says how long a task has computed since it began to. */
  private static void tell(CollectionAccumulator<Tuple2<String, Long>> computed, long start) {
    computed.add(new Tuple2<>(SparkEnv.get().executorId(), System.nanoTime() - start));
  }

  @Override
  public OptionalDouble exchangeSeconds() {
    return OptionalDouble.of(exchangeSeconds);
  }

  /** How many workers there are. */
  int workers() {
    return cluster.workers();
  }

  /**
   * Some steps that each worker takes alone.
   *
   * @param first of the steps, counted from 0
   * @param rates of each step
   * @return as gradient the sum of the workers' differences, where they began minus where they
   *     ended; as sums how many workers had lost their moments, then for each step the objective's
   *     sums, the sum of the workers' gradient norms, and how many of them took it
   */
  Computed round(long first, List<StepWork> works, List<Double> rates, AdamW.Options optimizer) {
    long started = System.nanoTime();
    int workers = cluster.workers();
    List<RoundShare> shares = new ArrayList<>();
    for (int w = 0; w < workers; w++) {
      List<WorkerStep> steps = new ArrayList<>();
      for (int k = 0; k < works.size(); k++) {
        StepWork work = works.get(k);
        List<MicroBatch> own = new ArrayList<>();
        for (int i = w; i < work.microBatches().size(); i += workers) {
          own.add(work.microBatches().get(i));
        }
        steps.add(new WorkerStep(own, work.dropout().key(), rates.get(k)));
      }
      shares.add(new RoundShare(w, workers, first, steps));
    }
    Dropout dropout = works.get(0).dropout();
    JavaRDD<RoundShare> rdd = context.parallelize(shares, workers);
    if (cluster.profile() != null) {
      rdd = rdd.withResources(cluster.profile());
    }
    return sum(
        started,
        rdd.flatMapToPair(
            new TakeSteps(
                spec,
                objective,
                weights(),
                computed,
                cluster.threads(),
                dropout.residual(),
                dropout.adapters(),
                optimizer)),
        workers);
  }

  @Override
  public double[] evaluate(TokenRows rows, int batchSize) {
    int leaves = Engine.evaluations(rows, batchSize);
    TreeSum<double[]> total = new TreeSum<>(leaves, Engine::plus);
    int atOnce = cluster.workers() * EVALUATED_AT_ONCE;
    for (int from = 0; from < leaves; from += atOnce) {
      List<MicroBatch> batches = new ArrayList<>();
      for (int i = from; i < Math.min(leaves, from + atOnce); i++) {
        batches.add(StepWork.read(Engine.evaluated(rows, batchSize, i), rows));
      }
      for (Part part :
          shares(batches, from, leaves)
              .flatMap(new Evaluate(spec, objective, weights(), cluster.threads()))
              .collect()) {
        total.add(new TreeSum.Block<>(part.level(), part.index(), part.sums()));
      }
    }
    return total.total().orElseThrow();
  }

  @Override
  public List<int[]> answers(List<int[]> prompts, int most, int[] stops) {
    JavaRDD<Asked> rdd = context.parallelize(List.of(new Asked(prompts, most, stops)), 1);
    return (cluster.profile() == null ? rdd : rdd.withResources(cluster.profile()))
        .flatMap(new Answer(spec, objective, weights(), cluster.threads()))
        .collect();
  }

  @Override
  public void close() {
    moved();
    gradient.close();
    parameters.close();
    kernels.close();
    SharedPolicy.release(run);
  }

  /** Threads that a task's kernels use: its cores, and all in a local session. */
  private static int threads(int asked) {
    return asked > 0 ? asked : Math.max(1, TaskContext.get().cpus());
  }

  private static final class ComputeGradients implements PairFlatMapFunction<Share, Integer, Part> {
    private static final long serialVersionUID = 1L;
    private final PolicySpec spec;
    private final TrainingObjective objective;
    private final SharedPolicy.Version weights;
    private final CollectionAccumulator<Tuple2<String, Long>> computed;
    private final int threads;
    private final Normaliser normaliser;
    private final double residualDropout;
    private final double adapterDropout;
    private final long dropoutKey;

    ComputeGradients(
        PolicySpec spec,
        TrainingObjective objective,
        SharedPolicy.Version weights,
        CollectionAccumulator<Tuple2<String, Long>> computed,
        int threads,
        Normaliser normaliser,
        double residualDropout,
        double adapterDropout,
        long dropoutKey) {
      this.spec = spec;
      this.objective = objective;
      this.weights = weights;
      this.computed = computed;
      this.threads = threads;
      this.normaliser = normaliser;
      this.residualDropout = residualDropout;
      this.adapterDropout = adapterDropout;
      this.dropoutKey = dropoutKey;
    }

    @Override
    public Iterator<Tuple2<Integer, Part>> call(Share share) {
      return SharedPolicy.with(
          spec, objective, weights, SparkEngine.threads(threads), policy -> parts(policy, share));
    }

    private Iterator<Tuple2<Integer, Part>> parts(Policy policy, Share share) {
      Dropout dropout = new Dropout(residualDropout, adapterDropout, dropoutKey);
      TreeSum<double[]> sums = new TreeSum<>(share.leaves(), Engine::plus);
      List<Tuple2<Integer, Part>> parts = new ArrayList<>();
      GradientSum sum = policy.sum();
      long start = System.nanoTime();
      sum.begin(share.leaves());
      for (int i = 0; i < share.microBatches().size(); i++) {
        MicroBatch batch = share.microBatches().get(i);
        int leaf = share.first() + i;
        sum.add(
            leaf,
            gradients ->
                sums.add(
                    leaf, policy.computation().addGradient(batch, normaliser, dropout, gradients)));
      }
      tell(computed, start);
      for (TreeSum.Block<ParameterSpace> block : sum.blocks()) {
        cut(block, parts);
      }
      for (TreeSum.Block<double[]> block : sums.blocks()) {
        parts.add(new Tuple2<>(SUMS, new Part(block.level(), block.index(), NONE, block.sum())));
      }
      return parts.iterator();
    }

    private void cut(TreeSum.Block<ParameterSpace> block, List<Tuple2<Integer, Part>> parts) {
      long size = block.sum().size();
      int number = 0;
      for (long at = 0; at < size; at += weights.sliceValues()) {
        float[] slice = new float[(int) Math.min(weights.sliceValues(), size - at)];
        block.sum().read(at, slice, slice.length);
        parts.add(new Tuple2<>(number++, new Part(block.level(), block.index(), slice, NO_SUMS)));
      }
    }
  }

  /** One worker's part of a step: its micro-batches, none perhaps. */
  private record WorkerStep(List<MicroBatch> microBatches, long dropoutKey, double rate)
      implements Serializable {}

  private record RoundShare(int worker, int workers, long first, List<WorkerStep> steps)
      implements Serializable {}

  private static final class TakeSteps implements PairFlatMapFunction<RoundShare, Integer, Part> {
    private static final long serialVersionUID = 1L;
    private final PolicySpec spec;
    private final TrainingObjective objective;
    private final SharedPolicy.Version weights;
    private final CollectionAccumulator<Tuple2<String, Long>> computed;
    private final int threads;
    private final double residualDropout;
    private final double adapterDropout;
    private final double[] optimizer;

    TakeSteps(
        PolicySpec spec,
        TrainingObjective objective,
        SharedPolicy.Version weights,
        CollectionAccumulator<Tuple2<String, Long>> computed,
        int threads,
        double residualDropout,
        double adapterDropout,
        AdamW.Options optimizer) {
      this.spec = spec;
      this.objective = objective;
      this.weights = weights;
      this.computed = computed;
      this.threads = threads;
      this.residualDropout = residualDropout;
      this.adapterDropout = adapterDropout;
      this.optimizer =
          new double[] {
            optimizer.beta1(),
            optimizer.beta2(),
            optimizer.epsilon(),
            optimizer.weightDecay(),
            optimizer.maxGradNorm()
          };
    }

    @Override
    public Iterator<Tuple2<Integer, Part>> call(RoundShare share) {
      return SharedPolicy.with(
          spec, objective, weights, SparkEngine.threads(threads), policy -> take(policy, share));
    }

    private Iterator<Tuple2<Integer, Part>> take(Policy policy, RoundShare share) {
      AdamW.Options options =
          new AdamW.Options(optimizer[0], optimizer[1], optimizer[2], optimizer[3], optimizer[4]);
      SharedPolicy.Inner inner = SharedPolicy.inner(policy, share.worker(), share.first(), options);
      List<double[]> figures = new ArrayList<>();
      long start = System.nanoTime();
      for (WorkerStep step : share.steps()) {
        figures.add(step(policy, inner.optimizer(), step));
      }
      tell(computed, start);
      SharedPolicy.keep(share.worker(), inner, share.first() + share.steps().size());
      List<Tuple2<Integer, Part>> parts = new ArrayList<>();
      int number = 0;
      long at = 0;
      for (Broadcast<float[]> slice : weights.slices()) {
        float[] began = slice.value();
        float[] difference = new float[began.length];
        policy.parameters().trainable().read(at, difference, difference.length);
        for (int i = 0; i < difference.length; i++) {
          difference[i] = began[i] - difference[i];
        }
        at += began.length;
        parts.add(new Tuple2<>(number++, new Part(0, share.worker(), difference, NO_SUMS)));
      }
      parts.add(new Tuple2<>(SUMS, new Part(0, share.worker(), NONE, joined(inner, figures))));
      return parts.iterator();
    }

    /** The objective's sums, the gradient's norm, and 1; zeros where there is nothing to do. */
    private double[] step(Policy policy, AdamW inner, WorkerStep step) {
      int count = step.microBatches().size();
      if (count == 0) {
        return NO_SUMS;
      }
      Normaliser normaliser = StepWork.normaliser(step.microBatches(), objective);
      Dropout dropout = new Dropout(residualDropout, adapterDropout, step.dropoutKey());
      TreeSum<double[]> sums = new TreeSum<>(count, Engine::plus);
      policy.sum().begin(count);
      for (int i = 0; i < count; i++) {
        int leaf = i;
        policy
            .sum()
            .add(
                leaf,
                gradients ->
                    sums.add(
                        leaf,
                        policy
                            .computation()
                            .addGradient(
                                step.microBatches().get(leaf), normaliser, dropout, gradients)));
      }
      double norm = inner.norm(policy.sum().total());
      inner.step(policy.sum().total(), norm, step.rate());
      double[] total = sums.total().orElseThrow();
      double[] figures = Arrays.copyOf(total, total.length + 2);
      figures[total.length] = norm;
      figures[total.length + 1] = 1;
      return figures;
    }

    private static double[] joined(SharedPolicy.Inner inner, List<double[]> figures) {
      int width = figures.stream().mapToInt(step -> step.length).max().orElse(0);
      double[] joined = new double[1 + width * figures.size()];
      joined[0] = inner.rebuilt() ? 1 : 0;
      for (int k = 0; k < figures.size(); k++) {
        System.arraycopy(figures.get(k), 0, joined, 1 + k * width, figures.get(k).length);
      }
      return joined;
    }
  }

  private static final class Evaluate implements FlatMapFunction<Share, Part> {
    private static final long serialVersionUID = 1L;
    private final PolicySpec spec;
    private final TrainingObjective objective;
    private final SharedPolicy.Version weights;
    private final int threads;

    Evaluate(
        PolicySpec spec, TrainingObjective objective, SharedPolicy.Version weights, int threads) {
      this.spec = spec;
      this.objective = objective;
      this.weights = weights;
      this.threads = threads;
    }

    @Override
    public Iterator<Part> call(Share share) {
      return SharedPolicy.with(
          spec,
          objective,
          weights,
          SparkEngine.threads(threads),
          policy -> {
            TreeSum<double[]> sums = new TreeSum<>(share.leaves(), Engine::plus);
            for (int i = 0; i < share.microBatches().size(); i++) {
              sums.add(
                  share.first() + i, policy.computation().evaluate(share.microBatches().get(i)));
            }
            return sums.blocks().stream()
                .map(block -> new Part(block.level(), block.index(), NONE, block.sum()))
                .toList()
                .iterator();
          });
    }
  }

  /** Prompts of one task. */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
  private record Asked(List<int[]> prompts, int most, int[] stops) implements Serializable {}

  private static final class Answer implements FlatMapFunction<Asked, int[]> {
    private static final long serialVersionUID = 1L;
    private final PolicySpec spec;
    private final TrainingObjective objective;
    private final SharedPolicy.Version weights;
    private final int threads;

    Answer(
        PolicySpec spec, TrainingObjective objective, SharedPolicy.Version weights, int threads) {
      this.spec = spec;
      this.objective = objective;
      this.weights = weights;
      this.threads = threads;
    }

    @Override
    public Iterator<int[]> call(Asked asked) {
      return SharedPolicy.with(
          spec,
          objective,
          weights,
          SparkEngine.threads(threads),
          policy ->
              GreedyAnswers.of(policy.decoder(), asked.prompts(), asked.most(), asked.stops())
                  .iterator());
    }
  }

  /** Adds the parts of each slice by the step's tree. */
  private static final class SumParts
      implements FlatMapFunction<Iterator<Tuple2<Integer, Part>>, Tuple2<Integer, Part>> {
    private static final long serialVersionUID = 1L;
    private final int leaves;

    SumParts(int leaves) {
      this.leaves = leaves;
    }

    @Override
    public Iterator<Tuple2<Integer, Part>> call(Iterator<Tuple2<Integer, Part>> parts) {
      Map<Integer, TreeSum<Part>> slices = new TreeMap<>();
      parts.forEachRemaining(
          part ->
              slices
                  .computeIfAbsent(part._1(), slice -> new TreeSum<>(leaves, SumParts::plus))
                  .add(new TreeSum.Block<>(part._2().level(), part._2().index(), part._2())));
      List<Tuple2<Integer, Part>> sums = new ArrayList<>();
      slices.forEach((slice, sum) -> sums.add(new Tuple2<>(slice, sum.total().orElseThrow())));
      return sums.iterator();
    }

    private static Part plus(Part first, Part second) {
      for (int i = 0; i < first.values().length; i++) {
        first.values()[i] += second.values()[i];
      }
      return new Part(0, 0, first.values(), Engine.plus(first.sums(), second.sums()));
    }
  }

  private static final class BySlice extends Partitioner {
    private static final long serialVersionUID = 1L;
    private final int partitions;

    BySlice(int partitions) {
      this.partitions = partitions;
    }

    @Override
    public int numPartitions() {
      return partitions;
    }

    @Override
    public int getPartition(Object slice) {
      return (Integer) slice + 1;
    }
  }
}
