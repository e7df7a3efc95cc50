package dev.distillery.jobs.generate;

import dev.distillery.core.prompt.Parsed;
import dev.distillery.core.prompt.Rejection;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.spark.fanout.Completion;
import dev.distillery.spark.warehouse.InstructionRow;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/**
 * The rounds of `generate`, without Spark.
 *
 * <p>A round asks one request a slot, over the pool after the round before. When every slot has its
 * end, its candidates are judged in slot order: the recipe's rules, then the similarity gate, where
 * one that is admitted counts for the next. Admitted tasks are finished, as many as the target
 * still needs, before another round is asked. So the result follows from the seed and the replies
 * alone.
 */
final class GenerationLoop {
  /** Rule of a candidate that is too similar to one of the pool. */
  static final String ROUGE_L = "rouge_l";

  /** Rule of a task that has no instance left. */
  static final String NO_INSTANCE = "no_instance";

  /** Rule of a task about which a request failed for good. */
  static final String REQUEST_FAILED = "request_failed";

  /** Takes what the loop decides, in its order. */
  interface Sink {
    /** A task that survived every filter, with its instances. */
    void kept(FinishedTask task);

    /** A task or an instance that a rule dropped. */
    void rejected(String origin, String rule, String detail, String text);

    /** A round is closed. */
    void closed(int round, Map<String, Double> figures);
  }

  private final GenerationRecipe recipe;
  private final TaskPool pool;
  private final Asking asking;
  private final Sink sink;
  private final int target;
  private final int requestsPerRound;
  private final int maxIdleRounds;

  private final ArrayDeque<Candidate> proposed = new ArrayDeque<>();
  private final Map<String, Long> rejects = new TreeMap<>();
  private long candidates;
  private final AtomicLong kept = new AtomicLong();
  private volatile int rounds;
  private long rejected;
  private long instances;
  private long instancesOverCap;

  GenerationLoop(
      GenerationRecipe recipe,
      TaskPool pool,
      Asking asking,
      Sink sink,
      int target,
      int requestsPerRound,
      int maxIdleRounds) {
    this.recipe = recipe;
    this.pool = pool;
    this.asking = asking;
    this.sink = sink;
    this.target = target;
    this.requestsPerRound = requestsPerRound;
    this.maxIdleRounds = maxIdleRounds;
  }

  /** Tasks kept so far; any thread may ask. */
  long kept() {
    return kept.get();
  }

  /** Rounds closed so far; any thread may ask. */
  int rounds() {
    return rounds;
  }

  /** Runs rounds until the target is reached or too many in a row keep nothing. */
  GenerationCounts run() {
    int idle = 0;
    while (kept.get() < target && idle < maxIdleRounds) {
      long before = kept.get();
      long candidatesBefore = candidates;
      int round = rounds;
      List<TeacherRequest> requests =
          IntStream.range(0, requestsPerRound)
              .mapToObj(slot -> recipe.propose(round, slot, pool))
              .toList();
      List<Completion> replies = asking.ask(requests);
      replies.forEach(this::propose);
      int admittedNow = 0;
      while (kept.get() < target && !proposed.isEmpty()) {
        List<AdmittedTask> admitted = admitWhatIsNeeded();
        admittedNow += admitted.size();
        if (!admitted.isEmpty()) {
          recipe.finish(admitted, asking).forEach(this::take);
        }
      }
      // What is admitted and then has no instance is no progress.
      idle = kept.get() == before ? idle + 1 : 0;
      sink.closed(
          round,
          Map.of(
              "generate/candidates", (double) (candidates - candidatesBefore),
              "generate/admitted", (double) admittedNow,
              "generate/kept", (double) (kept.get() - before),
              "generate/pool", (double) pool.generated()));
      rounds = round + 1;
    }
    return counts(kept.get() >= target ? "num-instructions" : "idle-rounds", proposed.size());
  }

  /** The counts where asking had to stop; tasks of a round that is half judged are left over. */
  GenerationCounts soFar() {
    return counts("teacher", candidates - kept.get() - rejected);
  }

  private GenerationCounts counts(String stoppedBy, long leftOver) {
    return new GenerationCounts(
        stoppedBy,
        rounds,
        candidates,
        kept.get(),
        rejected,
        leftOver,
        instances,
        instancesOverCap,
        rejects);
  }

  private void propose(Completion reply) {
    if (!reply.ok()) {
      return;
    }
    Parsed<Candidate> parsed = recipe.read(reply);
    candidates += parsed.kept().size() + parsed.rejected().size();
    parsed.rejected().forEach(rejection -> rejectTask(reply.requestId(), rejection));
    proposed.addAll(parsed.kept());
  }

  /**
   * Judges candidates in their order until the target could be reached with those admitted, or none
   * is left.
   */
  private List<AdmittedTask> admitWhatIsNeeded() {
    var admitted = new ArrayList<AdmittedTask>();
    while (kept.get() + admitted.size() < target && !proposed.isEmpty()) {
      admit(proposed.remove()).ifPresent(admitted::add);
    }
    return admitted;
  }

  private Optional<AdmittedTask> admit(Candidate candidate) {
    Optional<Rejection> rejection = recipe.check(candidate);
    if (rejection.isPresent()) {
      rejectTask(candidate.origin(), rejection.get());
      return Optional.empty();
    }
    Optional<InstructionRow.Similar> nearest = pool.excludedBy(candidate.instruction());
    if (nearest.isPresent()) {
      rejected++;
      reject(
          candidate.origin(),
          ROUGE_L,
          nearest.get().score()
              + " with "
              + nearest.get().id()
              + ": "
              + nearest.get().instruction(),
          candidate.instruction());
      return Optional.empty();
    }
    return Optional.of(pool.admit(candidate));
  }

  private void take(FinishedTask task) {
    Candidate candidate = task.task().candidate();
    for (Rejection rejection : task.rejected()) {
      reject(task.reply().requestId(), rejection.rule().id(), rejection.detail(), rejection.text());
    }
    if (task.instances().isEmpty()) {
      rejected++;
      boolean failed = !task.reply().ok();
      reject(
          candidate.origin(),
          failed ? REQUEST_FAILED : NO_INSTANCE,
          failed ? task.reply().error().orElse("") : "Request " + task.reply().requestId(),
          candidate.instruction());
      return;
    }
    kept.incrementAndGet();
    instances += task.instances().size();
    instancesOverCap += task.overCap();
    sink.kept(task);
  }

  private void rejectTask(String origin, Rejection rejection) {
    rejected++;
    reject(origin, rejection.rule().id(), rejection.detail(), rejection.text());
  }

  private void reject(String origin, String rule, String detail, String text) {
    rejects.merge(rule, 1L, Long::sum);
    sink.rejected(origin, rule, detail, text);
  }
}
