package dev.distillery.jobs.generate;

import dev.distillery.core.prompt.ClassificationAnswer;
import dev.distillery.core.prompt.InstanceFilter;
import dev.distillery.core.prompt.InstanceParser;
import dev.distillery.core.prompt.InstructionFilter;
import dev.distillery.core.prompt.InstructionListParser;
import dev.distillery.core.prompt.Parsed;
import dev.distillery.core.prompt.PromptTemplates;
import dev.distillery.core.prompt.Rejection;
import dev.distillery.core.prompt.SeedTask;
import dev.distillery.core.prompt.StopSequences;
import dev.distillery.core.prompt.TaskInstance;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.spark.fanout.Completion;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Self-Instruct (Wang et al. 2022): new instructions from six seeds and two of the pool, then
 * whether each is classification, then its instances, input first or label first. Sampling as in
 * its scripts: 1024 tokens at temperature 0.7, top-p 0.5 and presence penalty 2; 3 tokens greedily;
 * 350 or 300 tokens greedily with presence penalty 1.5.
 */
final class SelfInstructRecipe implements GenerationRecipe {
  private static final int SHOWN = 8;
  private static final int SHOWN_GENERATED = 2;

  private final List<SeedTask> seeds;
  private final PromptTemplates templates;
  private final Requests requests;
  private final InstructionFilter filter;
  private final boolean strictParity;
  private final long randomSeed;

  SelfInstructRecipe(
      List<SeedTask> seeds,
      PromptTemplates templates,
      Requests requests,
      boolean anyScript,
      boolean strictParity,
      long randomSeed) {
    this.seeds = seeds;
    this.templates = templates;
    this.requests = requests;
    this.filter = InstructionFilter.selfInstruct(anyScript, strictParity);
    this.strictParity = strictParity;
    this.randomSeed = randomSeed;
  }

  @Override
  public TeacherRequest propose(int round, int slot, TaskPool pool) {
    var draws = new Draws(randomSeed, round, slot);
    List<String> shown = new ArrayList<>();
    draws.sample(pool.generated(), SHOWN_GENERATED).forEach(i -> shown.add(pool.generated(i)));
    draws
        .sample(seeds.size(), SHOWN - shown.size())
        .forEach(i -> shown.add(seeds.get(i).instruction()));
    return requests.proposal(
        round,
        slot,
        templates.newInstructions(draws.shuffled(shown)),
        1024,
        0.7,
        0.5,
        2,
        draws.samplingSeed(),
        StopSequences.newInstructions(shown.size(), strictParity));
  }

  @Override
  public Parsed<Candidate> read(Completion reply) {
    Parsed<String> parsed =
        InstructionListParser.parse(
            reply.text().orElse(""),
            reply.finishReason().orElse(""),
            Math.min(SHOWN, seeds.size()) + 1,
            strictParity);
    var candidates = new ArrayList<Candidate>();
    for (String instruction : parsed.kept()) {
      candidates.add(new Candidate(instruction, List.of(), reply, candidates.size()));
    }
    return new Parsed<>(candidates, parsed.rejected());
  }

  @Override
  public Optional<Rejection> check(Candidate candidate) {
    return filter.check(candidate.instruction());
  }

  @Override
  public List<TeacherRequest> followUps(String instruction) {
    return List.of(askKind("", instruction), askInstances("", instruction, false));
  }

  /** Asks what kind each task is, then for the instances of those whose kind is known. */
  @Override
  public List<FinishedTask> finish(List<AdmittedTask> tasks, Asking asking) {
    List<Completion> kinds = asking.ask(tasks.stream().map(this::askKind).toList());
    var requestOf = new TreeMap<Integer, TeacherRequest>();
    for (int i = 0; i < tasks.size(); i++) {
      if (kinds.get(i).ok()) {
        requestOf.put(i, askInstances(tasks.get(i), isClassification(kinds.get(i))));
      }
    }
    List<TeacherRequest> open = List.copyOf(requestOf.values());
    Iterator<Completion> replies =
        (open.isEmpty() ? List.<Completion>of() : asking.ask(open)).iterator();
    var finished = new ArrayList<FinishedTask>();
    for (int i = 0; i < tasks.size(); i++) {
      finished.add(
          requestOf.containsKey(i)
              ? read(tasks.get(i), isClassification(kinds.get(i)), replies.next())
              : FinishedTask.failed(tasks.get(i), kinds.get(i)));
    }
    return finished;
  }

  private boolean isClassification(Completion kind) {
    return ClassificationAnswer.isClassification(kind.text().orElse(""), strictParity);
  }

  private TeacherRequest askKind(AdmittedTask task) {
    return askKind(task.taskId(), task.candidate().instruction());
  }

  private TeacherRequest askKind(String taskId, String instruction) {
    return requests.of(
        "classification",
        Optional.of(taskId),
        templates.classification(instruction),
        strictParity ? 3 : 8,
        0,
        1,
        0,
        0,
        StopSequences.classification(strictParity));
  }

  private TeacherRequest askInstances(AdmittedTask task, boolean classification) {
    return askInstances(task.taskId(), task.candidate().instruction(), classification);
  }

  private TeacherRequest askInstances(String taskId, String instruction, boolean classification) {
    return requests.of(
        "instances",
        Optional.of(taskId),
        classification
            ? templates.instancesOutputFirst(instruction)
            : templates.instancesInputFirst(instruction),
        classification ? 300 : 350,
        0,
        1,
        1.5,
        0,
        StopSequences.instances(strictParity));
  }

  private FinishedTask read(AdmittedTask task, boolean classification, Completion reply) {
    if (!reply.ok()) {
      return FinishedTask.failed(task, reply);
    }
    Parsed<TaskInstance> parsed =
        InstanceParser.parse(
            reply.text().orElse(""), reply.finishReason().orElse(""), classification, strictParity);
    Parsed<TaskInstance> filtered = InstanceFilter.filter(parsed.kept());
    var rejected = new ArrayList<Rejection>(parsed.rejected());
    rejected.addAll(filtered.rejected());
    List<TaskInstance> kept = filtered.kept();
    int cap = Math.min(kept.size(), InstanceFilter.MAX_INSTANCES);
    return new FinishedTask(
        task,
        Optional.of(classification),
        kept.subList(0, cap),
        rejected,
        kept.size() - cap,
        reply);
  }
}
