package dev.distillery.training.run;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.train.AdamW;
import dev.distillery.model.train.TreeSum;
import dev.distillery.training.tokens.TokenRows;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.spark.Partitioner;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
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

  private final JavaSparkContext context;
  private final String run;
  private final PolicySpec spec;
  private final TrainingObjective objective;
  private final Cluster cluster;
  private final Kernels kernels;
  private final ParameterSpace parameters;
  private final ParameterSpace gradient;
  private final int sliceValues;
  private final CollectionAccumulator<TaskTime> computed;
  private final List<Broadcast<float[]>> sent = new ArrayList<>();
  private double exchangeSeconds;
  private double openingSeconds;
  private boolean opened;
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

  /** The policy of each executor, its trained weights as they are here. */
  private SharedPolicy.Access policies() {
    return new SharedPolicy.Access(spec, objective, weights(), cluster.threads());
  }

  /** Lets executors fetch the code and read the model, before they are first asked anything. */
  private void open() {
    if (opened) {
      return;
    }
    long started = System.nanoTime();
    SharedPolicy.Access policies = policies();
    long sending = System.nanoTime();
    distributed(IntStream.range(0, cluster.workers()).boxed().toList())
        .foreach(worker -> policies.open());
    opened = true;
    exchangeSeconds += (sending - started) / 1e9;
    openingSeconds += (System.nanoTime() - sending) / 1e9;
  }

  private <T> JavaRDD<T> distributed(List<T> shares) {
    JavaRDD<T> rdd = context.parallelize(shares, shares.size());
    return cluster.profile() == null ? rdd : rdd.withResources(cluster.profile());
  }

  /** Cuts micro-batches into neighbouring runs, one a worker, as even as can be. */
  private JavaRDD<GradientShare> shares(List<MicroBatch> microBatches, int firstLeaf, int leaves) {
    int workers = Math.min(cluster.workers(), microBatches.size());
    List<GradientShare> shares = new ArrayList<>();
    for (int w = 0; w < workers; w++) {
      int from = (int) ((long) w * microBatches.size() / workers);
      int to = (int) ((long) (w + 1) * microBatches.size() / workers);
      shares.add(
          new GradientShare(
              firstLeaf + from, leaves, new ArrayList<>(microBatches.subList(from, to))));
    }
    return distributed(shares);
  }

  @Override
  public Computed gradient(StepWork work) {
    open();
    long started = System.nanoTime();
    int leaves = work.microBatches().size();
    var compute = new GradientTask(policies(), work.normaliser(), work.dropout(), computed);
    return sum(started, shares(work.microBatches(), 0, leaves).flatMapToPair(compute), leaves);
  }

  /** Adds the parts of all tasks, slice by slice. */
  private Computed sum(long started, JavaPairRDD<Integer, PartialSum> tasks, int leaves) {
    computed.reset();
    int slices = (int) ((parameters.size() + sliceValues - 1) / sliceValues);
    List<Tuple2<Integer, PartialSum>> parts =
        tasks.partitionBy(new BySlice(slices + 1)).mapPartitions(new SumParts(leaves)).collect();
    double[] sums = PartialSum.NO_SUMS;
    for (Tuple2<Integer, PartialSum> part : parts) {
      if (part._1() == PartialSum.OBJECTIVE) {
        sums = part._2().sums();
      } else {
        float[] values = part._2().values();
        gradient.write((long) part._1() * sliceValues, values, values.length);
      }
    }
    exchangeSeconds += (System.nanoTime() - started - slowest()) / 1e9;
    openingSeconds += computed.value().stream().mapToLong(TaskTime::opening).max().orElse(0) / 1e9;
    return new Computed(gradient, sums);
  }

  /** Nanoseconds that the busiest executor opened the model and computed; its tasks take turns. */
  private long slowest() {
    Map<String, Long> byExecutor = new HashMap<>();
    computed.value().forEach(task -> byExecutor.merge(task.executor(), task.nanos(), Long::sum));
    return byExecutor.values().stream().mapToLong(nanos -> nanos).max().orElse(0);
  }

  @Override
  public OptionalDouble exchangeSeconds() {
    return OptionalDouble.of(exchangeSeconds);
  }

  @Override
  public OptionalDouble openingSeconds() {
    return OptionalDouble.of(openingSeconds);
  }

  @Override
  public int workers() {
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
    open();
    long started = System.nanoTime();
    int workers = cluster.workers();
    List<LocalStepsTask.Share> shares = new ArrayList<>();
    for (int w = 0; w < workers; w++) {
      List<LocalStepsTask.Step> steps = new ArrayList<>();
      for (int k = 0; k < works.size(); k++) {
        StepWork work = works.get(k);
        List<MicroBatch> own = new ArrayList<>();
        for (int i = w; i < work.microBatches().size(); i += workers) {
          own.add(work.microBatches().get(i));
        }
        steps.add(new LocalStepsTask.Step(own, work.dropout(), rates.get(k)));
      }
      shares.add(new LocalStepsTask.Share(w, first, steps));
    }
    var steps = new LocalStepsTask(policies(), optimizer, computed);
    return sum(started, distributed(shares).flatMapToPair(steps), workers);
  }

  @Override
  public double[] evaluate(TokenRows rows, int batchSize) {
    open();
    int leaves = Engine.evaluations(rows, batchSize);
    TreeSum<double[]> total = new TreeSum<>(leaves, Engine::plus);
    int atOnce = cluster.workers() * EVALUATED_AT_ONCE;
    for (int from = 0; from < leaves; from += atOnce) {
      List<MicroBatch> batches = new ArrayList<>();
      for (int i = from; i < Math.min(leaves, from + atOnce); i++) {
        batches.add(StepWork.read(Engine.evaluated(rows, batchSize, i), rows));
      }
      SharedPolicy.Access policies = policies();
      for (PartialSum part :
          shares(batches, from, leaves)
              .flatMap(share -> policies.with(policy -> share.evaluated(policy)))
              .collect()) {
        total.add(new TreeSum.Block<>(part.level(), part.index(), part.sums()));
      }
    }
    return total.total().orElseThrow();
  }

  @Override
  public <I extends Serializable, O extends Serializable> List<O> ask(
      List<List<I>> groups, Question<I, O> question) {
    int workers = Math.min(cluster.workers(), groups.size());
    List<ArrayList<ArrayList<I>>> shares = new ArrayList<>();
    for (int w = 0; w < workers; w++) {
      var share = new ArrayList<ArrayList<I>>();
      for (int g = (int) ((long) w * groups.size() / workers);
          g < (int) ((long) (w + 1) * groups.size() / workers);
          g++) {
        share.add(new ArrayList<>(groups.get(g)));
      }
      shares.add(share);
    }
    if (groups.isEmpty()) {
      return List.of();
    }
    open();
    SharedPolicy.Access policies = policies();
    return distributed(shares).flatMap(share -> answered(policies, question, share)).collect();
  }

  private static <I extends Serializable, O extends Serializable> Iterator<O> answered(
      SharedPolicy.Access policies, Question<I, O> question, List<? extends List<I>> share) {
    return policies.with(
        policy -> {
          List<O> answers = new ArrayList<>();
          for (List<I> group : share) {
            answers.addAll(question.answer(policy.decoder(), policy.computation(), group));
          }
          return answers.iterator();
        });
  }

  @Override
  public List<int[]> answers(List<int[]> prompts, int most, int[] stops) {
    open();
    SharedPolicy.Access policies = policies();
    return distributed(List.of(new ArrayList<>(prompts)))
        .flatMap(
            asked ->
                policies.with(
                    policy -> GreedyAnswers.of(policy.decoder(), asked, most, stops).iterator()))
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

  /** Adds the parts of each slice by the step's tree. */
  private static final class SumParts
      implements FlatMapFunction<
          Iterator<Tuple2<Integer, PartialSum>>, Tuple2<Integer, PartialSum>> {
    private static final long serialVersionUID = 1L;
    private final int leaves;

    SumParts(int leaves) {
      this.leaves = leaves;
    }

    @Override
    public Iterator<Tuple2<Integer, PartialSum>> call(Iterator<Tuple2<Integer, PartialSum>> parts) {
      Map<Integer, TreeSum<PartialSum>> slices = new TreeMap<>();
      parts.forEachRemaining(
          part ->
              slices
                  .computeIfAbsent(part._1(), slice -> new TreeSum<>(leaves, SumParts::plus))
                  .add(new TreeSum.Block<>(part._2().level(), part._2().index(), part._2())));
      List<Tuple2<Integer, PartialSum>> sums = new ArrayList<>();
      slices.forEach((slice, sum) -> sums.add(new Tuple2<>(slice, sum.total().orElseThrow())));
      return sums.iterator();
    }

    private static PartialSum plus(PartialSum first, PartialSum second) {
      for (int i = 0; i < first.values().length; i++) {
        first.values()[i] += second.values()[i];
      }
      return new PartialSum(0, 0, first.values(), Engine.plus(first.sums(), second.sums()));
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
