package dev.distillery.jobs.generate;

import dev.distillery.core.prompt.Parsed;
import dev.distillery.core.prompt.Rejection;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.spark.fanout.Completion;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Looks at the first replies of a run as soon as they are there, and tells its user where none
 * holds a task: rounds of a slow model that come to nothing take hours. Changes no result.
 */
final class FirstReplies implements Asking {
  /** One reply may be a slip; the second of a model in this process takes minutes. */
  private static final int FEW = 2;

  private final Asking asking;
  private final GenerationRecipe recipe;
  private final boolean fewFirst;
  private final String remedy;
  private final Consumer<String> warn;
  private boolean looked;

  /**
   * @param fewFirst whether a few are asked ahead of the others of the first round
   * @param remedy what a user can do where none holds a task
   */
  FirstReplies(
      Asking asking,
      GenerationRecipe recipe,
      boolean fewFirst,
      String remedy,
      Consumer<String> warn) {
    this.asking = asking;
    this.recipe = recipe;
    this.fewFirst = fewFirst;
    this.remedy = remedy;
    this.warn = warn;
  }

  @Override
  public List<Completion> ask(List<TeacherRequest> requests) {
    if (looked) {
      return asking.ask(requests);
    }
    looked = true;
    int first = fewFirst ? Math.min(FEW, requests.size()) : requests.size();
    var replies = new ArrayList<>(asking.ask(requests.subList(0, first)));
    look(replies);
    if (first < requests.size()) {
      replies.addAll(asking.ask(requests.subList(first, requests.size())));
    }
    return replies;
  }

  private void look(List<Completion> replies) {
    List<Completion> answered = replies.stream().filter(Completion::ok).toList();
    Map<String, Integer> rules = new TreeMap<>();
    for (Completion reply : answered) {
      Parsed<Candidate> parsed = recipe.read(reply);
      parsed.rejected().forEach(r -> rules.merge(r.rule().id(), 1, Integer::sum));
      for (Candidate candidate : parsed.kept()) {
        Optional<Rejection> rejection = recipe.check(candidate);
        if (rejection.isEmpty()) {
          return;
        }
        rules.merge(rejection.get().rule().id(), 1, Integer::sum);
      }
    }
    if (!answered.isEmpty()) {
      warn.accept(
          "Warning: no task in the first "
              + answered.size()
              + " replies (rejected by rule: "
              + rules
              + "); "
              + remedy);
    }
  }
}
