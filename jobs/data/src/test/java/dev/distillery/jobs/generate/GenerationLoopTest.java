package dev.distillery.jobs.generate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.prompt.PromptTemplates;
import dev.distillery.core.prompt.SeedTask;
import dev.distillery.core.prompt.TaskInstance;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.core.text.WordTokenizer;
import dev.distillery.spark.fanout.Completion;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class GenerationLoopTest {
  private static final Requests REQUESTS =
      new Requests("m", Optional.empty(), Optional.empty(), Optional.empty(), "{}");

  private static final List<String> FEW =
      List.of("Name a fruit that is red.", "Count to ten in Latin.", "Spell the word harbour.");

  /** Keeps all that the loop decides. */
  private static final class Recorder implements GenerationLoop.Sink {
    private final List<FinishedTask> kept = new ArrayList<>();
    private final Map<String, Long> dropped = new TreeMap<>();
    private final List<Map<String, Double>> rounds = new ArrayList<>();

    @Override
    public void kept(FinishedTask task) {
      kept.add(task);
    }

    @Override
    public void rejected(String origin, String rule, String detail, String text) {
      dropped.merge(rule, 1L, Long::sum);
    }

    @Override
    public void closed(int round, Map<String, Double> figures) {
      rounds.add(figures);
    }
  }

  private final Recorder recorder = new Recorder();

  private static List<SeedTask> seeds(List<String> instructions) {
    return IntStream.range(0, instructions.size())
        .mapToObj(
            i ->
                new SeedTask(
                    "seed_task_" + i,
                    "name",
                    instructions.get(i),
                    List.of(new TaskInstance("", "answer " + i)),
                    i % 3 == 0))
        .toList();
  }

  private GenerationCounts run(
      GenerationRecipe recipe, List<SeedTask> seeds, Asking asking, int target, int perRound) {
    return new GenerationLoop(
            recipe,
            new TaskPool(seeds, WordTokenizer.named("rouge"), 0.7),
            asking,
            recorder,
            target,
            perRound,
            2)
        .run();
  }

  private static AlpacaRecipe alpaca(List<SeedTask> seeds, boolean strict) {
    return new AlpacaRecipe(
        seeds, PromptTemplates.load(Optional.empty()), REQUESTS, false, strict, 42);
  }

  private static SelfInstructRecipe selfInstruct(List<SeedTask> seeds, boolean strict) {
    return new SelfInstructRecipe(
        seeds, PromptTemplates.load(Optional.empty()), REQUESTS, false, strict, 42);
  }

  private static JsonNode golden() throws IOException {
    try (var in = GenerationLoopTest.class.getResourceAsStream("/golden/generation-runs.json")) {
      return new ObjectMapper().readTree(in);
    }
  }

  private static List<String> texts(JsonNode array) {
    return array.valueStream().map(JsonNode::asText).toList();
  }

  private static Map<String, Long> counts(JsonNode rules) {
    return texts(rules).stream()
        .collect(Collectors.groupingBy(rule -> rule, TreeMap::new, Collectors.counting()));
  }

  /** Gives the recorded replies to the proposals in slot order, and nothing after them. */
  private static Asking replaying(JsonNode replies, Asking others) {
    int[] next = {0};
    return requests ->
        requests.isEmpty() || requests.get(0).rowId().isPresent()
            ? others.ask(requests)
            : requests.stream()
                .map(
                    request -> {
                      int slot = next[0]++;
                      return slot < replies.size()
                          ? Replies.ok(
                              request,
                              replies.get(slot).get(0).asText(),
                              replies.get(slot).get(1).asText())
                          : Replies.failed(request);
                    })
                .toList();
  }

  @Test
  void anAlpacaRunKeepsAndDropsWhatTheOriginalDoes() throws IOException {
    List<SeedTask> seeds = seeds(texts(golden().path("seeds")));
    JsonNode run = golden().path("alpaca");
    GenerationCounts summary =
        run(
            alpaca(seeds, true),
            seeds,
            replaying(run.path("replies"), requests -> List.of()),
            100,
            run.path("replies").size());

    assertThat(summary.stoppedBy()).isEqualTo("idle-rounds");
    assertThat(recorder.kept).hasSize(run.path("kept").size());
    for (int i = 0; i < recorder.kept.size(); i++) {
      FinishedTask task = recorder.kept.get(i);
      JsonNode expected = run.path("kept").get(i);
      assertThat(task.task().candidate().instruction())
          .isEqualTo(expected.path("instruction").asText());
      assertThat(task.instances())
          .containsExactly(
              new TaskInstance(expected.path("input").asText(), expected.path("output").asText()));
      assertThat(task.task().maxSimilarity()).isEqualTo(expected.path("max_similarity").asDouble());
    }
    // The original drops an unreadable piece in silence; two rules of the parser name it here.
    assertThat(recorder.dropped).isEqualTo(counts(run.path("dropped")));
  }

  @Test
  void aSelfInstructRunKeepsAndDropsWhatTheOriginalDoes() throws IOException {
    List<SeedTask> seeds = seeds(texts(golden().path("seeds")));
    JsonNode run = golden().path("self_instruct");
    List<String> asked = new ArrayList<>();
    Asking answers =
        requests ->
            requests.stream()
                .map(
                    request -> {
                      String prompt = request.prompt().orElseThrow();
                      var answer =
                          run.path("answers").properties().stream()
                              .filter(a -> prompt.contains(a.getKey()))
                              .findFirst()
                              .orElseThrow();
                      boolean kind = request.sampling().maxNewTokens() == 3;
                      asked.add((kind ? "kind of " : "instances of ") + answer.getKey());
                      return kind
                          ? Replies.ok(request, answer.getValue().get(0).asText(), "stop")
                          : Replies.ok(
                              request,
                              answer.getValue().get(1).asText(),
                              answer.getValue().get(2).asText());
                    })
                .toList();
    run(
        selfInstruct(seeds, true),
        seeds,
        replaying(run.path("replies"), answers),
        100,
        run.path("replies").size());

    assertThat(recorder.kept).hasSize(run.path("kept").size());
    for (int i = 0; i < recorder.kept.size(); i++) {
      FinishedTask task = recorder.kept.get(i);
      JsonNode expected = run.path("kept").get(i);
      assertThat(task.task().candidate().instruction())
          .isEqualTo(expected.path("instruction").asText());
      assertThat(task.isClassification()).contains(expected.path("is_classification").asBoolean());
      Set<TaskInstance> instances = new HashSet<>();
      expected
          .path("instances")
          .forEach(p -> instances.add(new TaskInstance(p.get(0).asText(), p.get(1).asText())));
      assertThat(new HashSet<>(task.instances())).isEqualTo(instances);
      assertThat(task.task().maxSimilarity()).isEqualTo(expected.path("max_similarity").asDouble());
    }
    var expectedDropped = counts(run.path("dropped"));
    // The original loses whole instances without a name; each of ours is named beside its task.
    recorder.dropped.keySet().removeAll(Set.of("conflicting_outputs", "duplicate_instance"));
    recorder.dropped.computeIfPresent(
        "truncated", (rule, n) -> n - 1 /* the last instance of a cut reply */);
    assertThat(recorder.dropped).isEqualTo(expectedDropped);
    assertThat(asked)
        .hasSize(10)
        .startsWith("kind of Suggest a gift for a friend who likes paris.");
  }

  /** Every proposal holds three tasks, whose words come from its slot, so that all are new. */
  private static List<Completion> inventive(List<TeacherRequest> requests) {
    return requests.stream()
        .map(
            request -> {
              String id = request.requestId();
              return Replies.ok(
                  request,
                  " Tell %s and %s and %s.\n4. Input:\n<noinput>\n4. Output:\nYes\n###\n"
                          .formatted(id.substring(0, 5), id.substring(5, 10), id.substring(10, 15))
                      + "5. Instruction: Ask %s or %s or %s?\n5. Input:\n<noinput>\n5. Output:\nNo\n###\n"
                          .formatted(
                              id.substring(15, 20), id.substring(20, 25), id.substring(25, 30))
                      + "6. Instruction: Why.\n6. Input:\n<noinput>\n6. Output:\nSo\n",
                  "stop");
            })
        .toList();
  }

  @Test
  void stopsAtTheTargetAndCountsWhatIsLeftOver() {
    List<SeedTask> seeds = seeds(FEW);
    GenerationCounts summary =
        run(alpaca(seeds, false), seeds, GenerationLoopTest::inventive, 7, 3);
    assertThat(summary.stoppedBy()).isEqualTo("num-instructions");
    assertThat(summary.instructions()).isEqualTo(7);
    assertThat(summary.rounds()).isEqualTo(2);
    assertThat(summary.candidates()).isEqualTo(18);
    assertThat(summary.candidates())
        .isEqualTo(summary.instructions() + summary.rejected() + summary.leftOver());
    assertThat(summary.leftOver()).isPositive();
    assertThat(recorder.rounds).hasSize(2);
  }

  @Test
  void twoRunsWithTheSameSeedAndRepliesAreTheSame() {
    List<SeedTask> seeds = seeds(FEW);
    run(alpaca(seeds, false), seeds, GenerationLoopTest::inventive, 20, 4);
    List<String> first = recorder.kept.stream().map(t -> t.task().taskId()).toList();
    recorder.kept.clear();
    run(alpaca(seeds, false), seeds, GenerationLoopTest::inventive, 20, 4);
    assertThat(recorder.kept.stream().map(t -> t.task().taskId()).toList()).isEqualTo(first);
  }

  @Test
  void aTaskAboutWhichARequestFailedIsDroppedByName() {
    List<SeedTask> seeds = seeds(FEW);
    int[] round = {0};
    Asking asking =
        requests -> {
          if (requests.get(0).rowId().isEmpty()) {
            round[0]++;
            return requests.stream()
                .map(
                    r ->
                        round[0] == 1
                            ? Replies.ok(
                                r,
                                " Paint the old fence before noon.\n5. Teach a parrot five short words.",
                                "stop")
                            : Replies.failed(r))
                .toList();
          }
          return requests.stream()
              .map(
                  r ->
                      r.prompt().orElseThrow().contains("parrot")
                          ? Replies.failed(r)
                          : Replies.ok(
                              r, r.sampling().maxNewTokens() < 10 ? "No" : "Output: Done", "stop"))
              .toList();
        };
    GenerationCounts summary = run(selfInstruct(seeds, false), seeds, asking, 5, 1);
    assertThat(recorder.kept)
        .extracting(t -> t.task().candidate().instruction())
        .containsExactly("Paint the old fence before noon.");
    assertThat(summary.rejects()).containsEntry(GenerationLoop.REQUEST_FAILED, 1L);
    assertThat(summary.stoppedBy()).isEqualTo("idle-rounds");
    assertThat(summary.rounds()).isEqualTo(3);
  }

  @Test
  void firstRepliesWithoutATaskAreToldOfBeforeTheOthersAreAskedFor() {
    List<SeedTask> seeds = seeds(FEW);
    var events = new ArrayList<String>();
    Asking rambling =
        requests -> {
          events.add("asked " + requests.size());
          return requests.stream().map(r -> Replies.ok(r, " a a a", "length")).toList();
        };
    AlpacaRecipe recipe = alpaca(seeds, false);
    run(recipe, seeds, new FirstReplies(rambling, recipe, true, "do this", events::add), 5, 6);
    assertThat(events)
        .containsExactly(
            "asked 2",
            "Warning: no task in the first 2 replies (rejected by rule: {truncated=2}); do this",
            "asked 4",
            "asked 6");

    // A task in one of them, or a server whose replies come all at once: nothing is said too early.
    events.clear();
    for (boolean few : List.of(true, false)) {
      Asking first =
          new FirstReplies(GenerationLoopTest::inventive, recipe, few, "do this", events::add);
      run(recipe, seeds, first, 7, 3);
    }
    assertThat(events).isEmpty();
    List<String> kept = recorder.kept.stream().map(t -> t.task().taskId()).toList();
    assertThat(kept.subList(0, 7)).isEqualTo(kept.subList(7, 14));
  }

  @Test
  void roundsWhoseTasksHaveNoInstanceAreIdle() {
    List<SeedTask> seeds = seeds(FEW);
    Asking asking =
        requests ->
            requests.stream()
                .map(
                    r ->
                        r.rowId().isPresent()
                            ? Replies.ok(r, "", "stop")
                            : Replies.ok(
                                r,
                                " Weigh %s against %s and %s."
                                    .formatted(
                                        r.requestId().substring(0, 6),
                                        r.requestId().substring(6, 12),
                                        r.requestId().substring(12, 18)),
                                "stop"))
                .toList();
    GenerationCounts summary = run(selfInstruct(seeds, false), seeds, asking, 5, 2);
    assertThat(summary.stoppedBy()).isEqualTo("idle-rounds");
    assertThat(summary.rounds()).isEqualTo(2);
    assertThat(summary.rejects()).containsEntry(GenerationLoop.NO_INSTANCE, 4L);
  }

  @Test
  void noTaskComesTwiceEvenAtAThresholdOfOne() {
    List<SeedTask> seeds = seeds(FEW);
    var pool = new TaskPool(seeds, WordTokenizer.named("rouge"), 1);
    assertThat(pool.excludedBy("Name a fruit that is red.")).isPresent();
    assertThat(pool.excludedBy("Name a fruit that is green.")).isEmpty();
  }

  @Test
  void aColdStartShowsEightSeedsAndLaterSixAndTwoOfThePool() {
    List<SeedTask> seeds =
        seeds(
            IntStream.range(0, 30)
                .mapToObj(i -> "Seed" + i + " tells of topic" + i + " at length" + i)
                .toList());
    var recipe = selfInstruct(seeds, false);
    var pool = new TaskPool(seeds, WordTokenizer.named("rouge"), 0.7);
    String cold = recipe.propose(0, 0, pool).prompt().orElseThrow();
    assertThat(shownSeeds(cold)).isEqualTo(8);
    for (int i = 0; i < 5; i++) {
      TeacherRequest request = recipe.propose(0, i, pool);
      pool.admit(
          new Candidate(
              "Generated" + i + " speaks on matter" + i,
              List.of(),
              Replies.ok(request, "", "stop"),
              0));
    }
    String warm = recipe.propose(1, 0, pool).prompt().orElseThrow();
    assertThat(shownSeeds(warm)).isEqualTo(6);
    assertThat(warm.split("Generated\\d", -1)).hasSize(3);
    assertThat(recipe.propose(1, 0, pool).requestId())
        .isEqualTo(recipe.propose(1, 0, pool).requestId())
        .isNotEqualTo(recipe.propose(1, 1, pool).requestId());
  }

  private static int shownSeeds(String prompt) {
    return prompt.split("Seed\\d", -1).length - 1;
  }
}
