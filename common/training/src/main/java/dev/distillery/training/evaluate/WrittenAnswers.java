package dev.distillery.training.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.text.AnswerMatch;
import dev.distillery.core.text.Bleu;
import dev.distillery.core.text.RougeL;
import dev.distillery.core.text.RougeTokenizer;
import dev.distillery.core.text.Whitespace;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What answers that were written are worth. */
public final class WrittenAnswers {
  private static final RougeTokenizer ROUGE = new RougeTokenizer();

  private WrittenAnswers() {}

  /**
   * What came of an item.
   *
   * @param question with what is counted of the prompt
   * @param answers of the item, sample by sample; a metric is their mean, BLEU's counts their sums,
   *     and several also vote and pass ({@link Metric#figures})
   * @throws ItemException where the row makes no item
   */
  public static Evaluated of(
      EvalTask task,
      String id,
      JsonNode row,
      ItemEvaluator.Question question,
      List<String> answers) {
    List<String> right = Item.of(task, id, row).answers();
    Map<String, Double> metrics = new TreeMap<>(question.metrics());
    for (Metric metric : task.metrics()) {
      if (metric == Metric.BLEU) {
        answers.forEach(answer -> bleu(Bleu.counts(answer.strip(), right), metrics));
        continue;
      }
      double[] values =
          answers.stream().mapToDouble(answer -> best(metric, answer, right)).toArray();
      double sum = 0;
      for (double value : values) {
        sum += value;
      }
      metrics.put(metric.word(), sum / values.length);
      if (metric.exact() && values.length > 1) {
        several(metric, answers, values, metrics);
      }
    }
    return new Evaluated(
        question.prompt(),
        List.of(),
        List.of(),
        Optional.of(answers.get(0)),
        answers.size() > 1 ? answers : List.of(),
        Optional.of(right.get(0)),
        metrics);
  }

  private static void several(
      Metric metric, List<String> answers, double[] values, Map<String, Double> metrics) {
    int correct = 0;
    for (double value : values) {
      correct += (int) value;
    }
    for (int k : SampledAnswers.sizes(values.length)) {
      metrics.put(metric.passAt(k), SampledAnswers.passAt(values.length, correct, k));
    }
    List<Optional<String>> votes = answers.stream().map(answer -> vote(metric, answer)).toList();
    metrics.put(
        metric.majorityAt(values.length),
        SampledAnswers.majority(votes).map(sample -> values[sample]).orElse(0.0));
  }

  /** What a metric sees of an answer; an answer without a number has no number to vote for. */
  private static Optional<String> vote(Metric metric, String answer) {
    return switch (metric) {
      case EXACT_MATCH -> Optional.of(Whitespace.strip(answer));
      case EXACT_MATCH_SQUAD -> Optional.of(String.join(" ", AnswerMatch.words(answer)));
      case NUMBER_MATCH ->
          AnswerMatch.lastNumber(answer).map(number -> number.stripTrailingZeros().toString());
      default -> Optional.of(answer);
    };
  }

  /** Of several right answers the nearest counts. */
  private static double best(Metric metric, String answer, List<String> right) {
    return right.stream().mapToDouble(each -> value(metric, answer, each)).max().orElse(0);
  }

  private static double value(Metric metric, String answer, String right) {
    return switch (metric) {
      case EXACT_MATCH -> AnswerMatch.trimmed(answer, right) ? 1 : 0;
      case EXACT_MATCH_RAW -> answer.equals(right) ? 1 : 0;
      case EXACT_MATCH_SQUAD -> AnswerMatch.squad(answer, right) ? 1 : 0;
      case NUMBER_MATCH -> AnswerMatch.numbers(answer, right) ? 1 : 0;
      case F1 -> AnswerMatch.f1(answer, right);
      case ROUGE_L -> RougeL.score(ROUGE.tokenize(right), ROUGE.tokenize(answer));
      default -> throw new IllegalArgumentException("No metric of written answers: " + metric);
    };
  }

  private static void bleu(Bleu.Counts counts, Map<String, Double> metrics) {
    for (int i = 0; i < Bleu.ORDERS; i++) {
      metrics.merge("bleu_correct_" + (i + 1), (double) counts.correct().get(i), Double::sum);
      metrics.merge("bleu_total_" + (i + 1), (double) counts.total().get(i), Double::sum);
    }
    metrics.merge("bleu_length", (double) counts.length(), Double::sum);
    metrics.merge("bleu_reference", (double) counts.reference(), Double::sum);
  }
}
