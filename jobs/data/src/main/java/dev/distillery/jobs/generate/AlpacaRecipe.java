package dev.distillery.jobs.generate;

import dev.distillery.core.prompt.AlpacaReplyParser;
import dev.distillery.core.prompt.GeneratedTask;
import dev.distillery.core.prompt.InstanceFilter;
import dev.distillery.core.prompt.InstructionFilter;
import dev.distillery.core.prompt.Parsed;
import dev.distillery.core.prompt.PromptTemplates;
import dev.distillery.core.prompt.Rejection;
import dev.distillery.core.prompt.SeedTask;
import dev.distillery.core.prompt.StopSequences;
import dev.distillery.core.prompt.TaskInstance;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.spark.fanout.Completion;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Alpaca (Taori et al. 2023): three seed tasks a prompt, and whole tasks in the reply. Sampling as
 * in its `generate_instruction.py`: 3072 tokens, temperature 1, top-p 1.
 */
final class AlpacaRecipe implements GenerationRecipe {
  private static final int SHOWN = 3;
  private static final int MAX_NEW_TOKENS = 3072;

  private final List<SeedTask> seeds;
  private final PromptTemplates templates;
  private final Requests requests;
  private final InstructionFilter filter;
  private final boolean strictParity;
  private final long randomSeed;

  AlpacaRecipe(
      List<SeedTask> seeds,
      PromptTemplates templates,
      Requests requests,
      boolean anyScript,
      boolean strictParity,
      long randomSeed) {
    this.seeds = seeds;
    this.templates = templates;
    this.requests = requests;
    this.filter = InstructionFilter.alpaca(anyScript, strictParity);
    this.strictParity = strictParity;
    this.randomSeed = randomSeed;
  }

  @Override
  public TeacherRequest propose(int round, int slot, TaskPool pool) {
    var draws = new Draws(randomSeed, round, slot);
    List<GeneratedTask> shown =
        draws.sample(seeds.size(), SHOWN).stream().map(i -> seeds.get(i).shown()).toList();
    return requests.proposal(
        round,
        slot,
        templates.alpaca(shown),
        MAX_NEW_TOKENS,
        1,
        1,
        0,
        draws.samplingSeed(),
        StopSequences.alpaca(strictParity));
  }

  @Override
  public Parsed<Candidate> read(Completion reply) {
    Parsed<GeneratedTask> parsed =
        AlpacaReplyParser.parse(
            reply.text().orElse(""),
            reply.finishReason().orElse(""),
            Math.min(SHOWN, seeds.size()),
            strictParity);
    var candidates = new ArrayList<Candidate>();
    for (GeneratedTask task : parsed.kept()) {
      var instance = new TaskInstance(task.input(), task.output());
      candidates.add(
          new Candidate(task.instruction(), List.of(instance), reply, candidates.size()));
    }
    return new Parsed<>(candidates, parsed.rejected());
  }

  @Override
  public Optional<Rejection> check(Candidate candidate) {
    Optional<Rejection> rejection = filter.check(candidate.instruction());
    if (rejection.isPresent() || strictParity) {
      return rejection;
    }
    TaskInstance instance = candidate.instances().get(0);
    return InstanceFilter.check(instance.input(), instance.output());
  }

  @Override
  public List<TeacherRequest> followUps(String instruction) {
    return List.of();
  }

  /** An Alpaca reply holds whole tasks: nothing is asked. */
  @Override
  public List<FinishedTask> finish(List<AdmittedTask> tasks, Asking asking) {
    return tasks.stream()
        .map(
            task ->
                new FinishedTask(
                    task,
                    Optional.empty(),
                    task.candidate().instances(),
                    List.of(),
                    0,
                    task.candidate().reply()))
        .toList();
  }
}
