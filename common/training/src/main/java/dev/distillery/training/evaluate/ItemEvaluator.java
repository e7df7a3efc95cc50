package dev.distillery.training.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.model.sample.ContinuationScorer;
import dev.distillery.model.sample.Student;
import dev.distillery.model.tokenizer.ChatTemplate;
import dev.distillery.training.evaluate.ItemPrompts.Shown;
import dev.distillery.training.evaluate.ItemPrompts.Tokens;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** Makes a task's rows into items, prompts, scores and metrics, for one student. */
public final class ItemEvaluator {
  /** Shots that an item was shown. */
  public static final String SHOTS = "shots";

  /** Tokens of shots that were left out, so that the item fits the context. */
  public static final String SHOT_TOKENS_CUT = "shot_tokens_cut";

  /** The log-probability that figures are made of. */
  public static final String LOGPROB = "logprob";

  /** Names of what a log-probability is divided by. */
  public static final String TOKENS = "tokens";

  public static final String WORDS = "words";
  public static final String BYTES = "bytes";

  private static final Pattern SPACE = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);

  private final EvalTask task;
  private final int shots;
  private final ShotPool pool;
  private final Student student;
  private final ItemPrompts prompts;

  /**
   * How items are shown.
   *
   * @param shots to an item
   * @param multiturn whether shots are turns of a dialogue; with a template only
   * @param seed of the shots
   */
  public record Settings(int shots, boolean multiturn, long seed) {}

  /**
   * @param examples the pool of shots
   * @param template empty for plain text
   */
  public ItemEvaluator(
      EvalTask task,
      Settings settings,
      List<Example> examples,
      Student student,
      Optional<ChatTemplate> template) {
    this.task = task;
    this.shots = task.isDocument() ? 0 : settings.shots();
    this.pool = new ShotPool(task, examples, settings.seed());
    this.student = student;
    this.prompts = new ItemPrompts(task, student, template, settings.multiturn());
  }

  /** What a model is asked that writes its answer. */
  public record Question(String prompt, List<Message> messages, Map<String, Double> metrics) {}

  /** How many examples ask different things. */
  public static int different(EvalTask task, List<Example> examples) {
    return new ShotPool(task, examples, 0).size();
  }

  public EvalTask task() {
    return task;
  }

  /** A prompt with the shots that fit. */
  private record Fitted(Shown shown, List<Item> shots, long cut) {
    void count(Map<String, Double> metrics) {
      metrics.put(SHOTS, (double) shots.size());
      if (cut > 0) {
        metrics.put(SHOT_TOKENS_CUT, (double) cut);
      }
    }
  }

  /**
   * Scores a row of a task whose answers are not written.
   *
   * @throws ItemException where the row makes no item
   */
  public Evaluated score(String id, JsonNode row, ContinuationScorer scorer) {
    Item item = Item.of(task, id, row);
    Evaluated evaluated =
        item.prompts().isEmpty() ? document(item, scorer) : continuations(item, scorer);
    if (!evaluated.logprobs().stream().allMatch(Double::isFinite)) {
      throw new ItemException(
          ItemException.NOT_FINITE, "The log-probabilities are " + evaluated.logprobs());
    }
    return evaluated;
  }

  /**
   * What is asked of a teacher or student that writes.
   *
   * @param context tokens of prompt and answer at most
   * @throws ItemException where the row makes no item
   */
  public Question question(String id, JsonNode row, int context) {
    Item item = Item.of(task, id, row);
    int room = context - task.maxNewTokens();
    Fitted fitted =
        fitted(item, 0, pool.of(item, shots), shown -> prompts.prompt(shown).length, room);
    Map<String, Double> metrics = new TreeMap<>();
    fitted.count(metrics);
    return new Question(fitted.shown().text(), fitted.shown().messages(), metrics);
  }

  /** Leaves out shots, the farthest first, until the rest fits; the item's own prompt stays. */
  private Fitted fitted(
      Item item, int continuation, List<Item> drawn, ToDoubleFunction<Shown> length, int room) {
    double whole = 0;
    for (int from = 0; from <= drawn.size(); from++) {
      List<Item> some = drawn.subList(from, drawn.size());
      Shown shown = prompts.shown(item, continuation, some);
      double tokens = length.applyAsDouble(shown);
      whole = from == 0 ? tokens : whole;
      if (tokens <= room) {
        return new Fitted(shown, some, Math.round(whole - tokens));
      }
      if (from == drawn.size()) {
        throw new ItemException(
            ItemException.TOO_LONG,
            "The item alone takes %s tokens, and the context has room for %s"
                .formatted(Math.round(tokens), room));
      }
    }
    throw new IllegalStateException("An item has at least its own prompt");
  }

  private Evaluated continuations(Item item, ContinuationScorer scorer) {
    int limit = student.config().maxPositions();
    List<Item> drawn = pool.of(item, shots);
    List<Tokens> tokens = new ArrayList<>();
    List<Shown> shown = new ArrayList<>();
    Map<String, Double> metrics = new TreeMap<>();
    int fewest = drawn.size();
    long cut = 0;
    // Every choice is shown the same shots: those that fit with the longest.
    for (int i = 0; i < item.continuations().size(); i++) {
      int choice = i;
      Fitted fitted =
          fitted(
              item,
              choice,
              drawn.subList(drawn.size() - fewest, drawn.size()),
              each -> length(of(each, item, choice)) - 1,
              limit);
      cut += fitted.cut();
      fewest = fitted.shots().size();
    }
    List<Item> some = drawn.subList(drawn.size() - fewest, drawn.size());
    for (int i = 0; i < item.continuations().size(); i++) {
      shown.add(prompts.shown(item, i, some));
      tokens.add(of(shown.get(i), item, i));
    }
    new Fitted(shown.get(item.right()), some, cut).count(metrics);
    List<ContinuationScorer.Score> scores = scores(tokens, scorer);
    String prompt = shown.get(item.right()).text();
    if (task.form() instanceof EvalTask.Form.Likelihood) {
      return likelihood(item, prompt, scores.get(0), metrics);
    }
    return chosen(item, prompt, scores, metrics, scorer);
  }

  private Tokens of(Shown shown, Item item, int choice) {
    return prompts.tokens(shown, item.continuations().get(choice));
  }

  private static int length(Tokens tokens) {
    return tokens.context().length + tokens.continuation().length;
  }

  /** Continuations of one context go together. */
  private static List<ContinuationScorer.Score> scores(
      List<Tokens> tokens, ContinuationScorer scorer) {
    ContinuationScorer.Score[] scores = new ContinuationScorer.Score[tokens.size()];
    for (int i = 0; i < scores.length; i++) {
      if (scores[i] != null) {
        continue;
      }
      int[] context = tokens.get(i).context();
      List<Integer> same =
          IntStream.range(i, scores.length)
              .filter(each -> Arrays.equals(tokens.get(each).context(), context))
              .boxed()
              .toList();
      List<ContinuationScorer.Score> each =
          scorer.scoreEach(
              context, same.stream().map(index -> tokens.get(index).continuation()).toList());
      for (int j = 0; j < same.size(); j++) {
        scores[same.get(j)] = each.get(j);
      }
    }
    return List.of(scores);
  }

  private Evaluated likelihood(
      Item item, String prompt, ContinuationScorer.Score score, Map<String, Double> metrics) {
    if (task.metrics().contains(Metric.ACC)) {
      metrics.put(Metric.ACC.word(), score.greedy() ? 1.0 : 0.0);
    }
    metrics.put(LOGPROB, score.sum());
    metrics.put(TOKENS, (double) score.logProbs().length);
    return new Evaluated(
        prompt,
        item.continuations(),
        List.of(score.sum()),
        Optional.empty(),
        List.of(),
        Optional.of(item.answers().get(0)),
        metrics);
  }

  private Evaluated chosen(
      Item item,
      String prompt,
      List<ContinuationScorer.Score> scores,
      Map<String, Double> metrics,
      ContinuationScorer scorer) {
    List<String> choices = item.continuations();
    List<Double> sums = scores.stream().map(ContinuationScorer.Score::sum).toList();
    // Where the prompts differ, they are what the choices are told by.
    List<String> told = item.prompts().size() > 1 ? item.prompts() : choices;
    for (Metric metric : task.metrics()) {
      double[] values = new double[choices.size()];
      for (int i = 0; i < values.length; i++) {
        double sum = sums.get(i);
        values[i] =
            switch (metric) {
              case ACC_NORM -> sum / characters(choices.get(i));
              case ACC_BYTES -> sum / bytes(choices.get(i));
              case ACC_TOKENS -> sum / scores.get(i).logProbs().length;
              case ACC_MUTUAL_INFO -> sum - unconditional(choices.get(i), scorer);
              default -> sum;
            };
      }
      metrics.put(metric.word(), highest(values) == item.right() ? 1.0 : 0.0);
    }
    double[] plain = sums.stream().mapToDouble(Double::doubleValue).toArray();
    return new Evaluated(
        prompt,
        told,
        sums,
        Optional.of(told.get(highest(plain))),
        List.of(),
        Optional.of(told.get(item.right())),
        metrics);
  }

  private double unconditional(String choice, ContinuationScorer scorer) {
    String context = ((EvalTask.Form.Choices) task.form()).unconditional();
    Tokens tokens = prompts.plain(context, choice);
    return scorer.scoreEach(tokens.context(), List.of(tokens.continuation())).get(0).sum();
  }

  private static int highest(double[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      best = values[i] > values[best] ? i : best;
    }
    return best;
  }

  private Evaluated document(Item item, ContinuationScorer scorer) {
    String text = item.continuations().get(0);
    if (text.isEmpty()) {
      throw new ItemException(ItemException.EMPTY, "The text is empty");
    }
    Tokens tokens = prompts.document(text);
    double logprob = rolling(tokens, scorer);
    Map<String, Double> metrics = new TreeMap<>();
    metrics.put(LOGPROB, logprob);
    metrics.put(TOKENS, (double) tokens.continuation().length);
    metrics.put(WORDS, (double) SPACE.split(text, -1).length);
    metrics.put(BYTES, (double) bytes(text));
    return new Evaluated(
        text, List.of(), List.of(logprob), Optional.empty(), List.of(), Optional.empty(), metrics);
  }

  /**
   * Windows of the model's context, each token scored once: the first begins with the text's
   * beginning, each further one with the token before it, and the last is moved back until it is
   * full, as lm-evaluation-harness does with a context of one token.
   */
  private double rolling(Tokens tokens, ContinuationScorer scorer) {
    int window = student.config().maxPositions();
    int[] text = tokens.continuation();
    int[] whole = Arrays.copyOf(tokens.context(), tokens.context().length + text.length);
    System.arraycopy(text, 0, whole, tokens.context().length, text.length);
    int before = tokens.context().length;
    double sum = 0;
    for (int done = 0; done < text.length; ) {
      int count = Math.min(text.length - done, done == 0 ? window - before + 1 : window);
      int end = before + done + count;
      int from = Math.max(0, end - window - 1);
      int[] context = Arrays.copyOfRange(whole, from, before + done);
      int[] scored = Arrays.copyOfRange(whole, before + done, end);
      sum += scorer.score(context, scored).sum();
      done += count;
    }
    return sum;
  }

  private static int characters(String text) {
    return text.codePointCount(0, text.length());
  }

  private static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}
