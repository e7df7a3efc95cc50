package dev.distillery.jobs.inspect;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import dev.distillery.core.run.SummaryMember;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the inspect job finds.
 *
 * @param sizes of the configuration
 * @param estimate of what it takes to hold, run and train the model
 * @param stored how the files hold the weights; empty where only a configuration was named
 * @param tokenizer its name, or why there is none; empty where only a configuration was named
 * @param texts what the tokenizer gives back; empty where there is none
 */
public record InspectSummary(
    RunSummary run,
    Sizes sizes,
    Estimate estimate,
    Optional<Stored> stored,
    Optional<String> tokenizer,
    Optional<Texts> texts)
    implements Summary {

  /** The configuration, by the names of {@code ModelConfig}. */
  public record Sizes(
      String architecture,
      long parameters,
      int vocabSize,
      int hiddenSize,
      int intermediateSize,
      int layers,
      int heads,
      int kvHeads,
      int headDim,
      int maxPositions,
      boolean tiedEmbeddings,
      @SummaryMember double ropeTheta,
      @SummaryMember int labels) {}

  /**
   * What the model takes.
   *
   * @param float32Bytes of the weights in float32
   * @param cacheBytesPerToken of the key-value cache
   * @param trainingStepBytes of a training step of one sequence, every parameter trained
   * @param adapterStepBytes of a training step of one sequence, adapters trained
   * @param forwardFlopsPerToken at the end of a sequence
   * @param trainingFlops of the training run that was asked about
   * @param trainingHours of that run on the hardware
   * @param trainingDollars of those hours
   * @param hardware machine of that run
   * @param trainingFits whether that run fits its memory
   * @param publishedRuns what others say of theirs, beside our estimate
   */
  public record Estimate(
      long float32Bytes,
      long cacheBytesPerToken,
      long trainingStepBytes,
      long adapterStepBytes,
      double forwardFlopsPerToken,
      double trainingFlops,
      double trainingHours,
      double trainingDollars,
      String hardware,
      boolean trainingFits,
      List<Map<String, Object>> publishedRuns) {}

  /**
   * The weights as they lie in the files.
   *
   * @param storedBytes of all tensors
   * @param storedValues how many, by type
   * @param stopTokenIds tokens that end an answer
   * @param warnings what of the files is not read, or is read otherwise than they say
   */
  public record Stored(
      long storedBytes,
      Map<String, Long> storedValues,
      List<Integer> stopTokenIds,
      List<String> warnings) {}

  /**
   * What became of some awkward texts that were encoded and decoded.
   *
   * @param tokenizerSize tokens of the vocabulary
   * @param textsNotGivenBack those that came back changed
   */
  public record Texts(
      int textsTried, int textsGivenBack, int tokenizerSize, List<String> textsNotGivenBack) {}
}
