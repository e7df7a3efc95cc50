package dev.distillery.jobs.ppo;

import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.model.sample.Student;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.training.card.ModelCard;
import dev.distillery.training.rollout.PtxRows;
import dev.distillery.training.tokens.TokenSettings;
import dev.distillery.training.tokens.TokenSettings.OverLength;
import dev.distillery.training.tokens.TokenSettings.Packing;
import dev.distillery.training.tokens.TokenSettings.TrainOn;
import dev.distillery.training.tokens.TrainingInputs;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The texts of PPO-ptx as token tables.
 *
 * @param rows of an optimiser step; empty where none were asked for
 * @param key of the tables
 * @param sources of the texts
 */
record PtxTexts(Optional<PtxRows> rows, String key, List<ModelCard.Source> sources) {
  private static final List<Table> TABLES =
      List.of(Tables.CONVERSATIONS, Tables.INSTRUCTIONS, Tables.DOCUMENTS);

  static final PtxTexts NONE = new PtxTexts(Optional.empty(), "", List.of());

  PtxTexts {
    sources = List.copyOf(sources);
  }

  /**
   * Builds the tables, or takes those that are there. What of the rows is not used is told.
   *
   * @param told what templates are told beside dialogues
   */
  static PtxTexts of(JobRun run, PpoOptions options, Student student, TemplateInputs told) {
    PtxOptions ptx = options.ptx();
    if (ptx.ptxInput().isEmpty()) {
      return NONE;
    }
    List<Integer> stops = student.specialTokens().stop();
    TokenSettings settings =
        new TokenSettings(
                options.template(),
                TrainOn.ALL_TURNS,
                OverLength.SPLIT,
                options.length(student.config().maxPositions()),
                Packing.NONE,
                stops.isEmpty() ? -1 : stops.get(0))
            .told(told);
    TrainingInputs inputs = TrainingInputs.readBeside(run, ptx.ptxInput(), TABLES);
    long seed = options.run().randomSeed();
    TrainingInputs.Tokens tokens =
        inputs.build(options.training().student().model(), settings, seed, true);
    Map<String, Long> rejects = tokens.counts().rejects();
    if (!rejects.isEmpty()) {
      run.progress().say("Not learned, of --ptx-input: " + new TreeMap<>(rejects));
    }
    int answers = options.update().miniBatchSize().orElse(options.rollouts().rolloutBatchSize());
    return new PtxTexts(
        Optional.of(new PtxRows(tokens.rows(), ptx.ptxBatchSize().orElse(answers), seed)),
        tokens.key(),
        inputs.sources());
  }
}
