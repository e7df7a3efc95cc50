package dev.distillery.jobs.dpo;

import dev.distillery.core.dialogue.TemplateOptions;
import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Tunable;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.training.run.LoraOptionsBuilder;
import dev.distillery.training.run.OptimizerOptionsBuilder;
import dev.distillery.training.run.StudentOptions;
import dev.distillery.training.run.TrainingOptions;
import dev.distillery.training.run.TrainingOptionsBuilder;
import dev.distillery.training.tokens.TokenOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What the dpo job can be told.
 *
 * @param run what every job can be told
 * @param training what every training job can be told
 * @param tokens what is trained on
 * @param template chat template that rows are written in
 * @param templateInputs what the model's own template is told beside the dialogue
 * @param preference what is minimised
 * @param show rows of each input that a dry run prints
 */
@WithBuilder
public record DpoOptions(
    RunOptions run,
    TrainingOptions training,
    TokenOptions tokens,
    @Option(
            names = "--template",
            paramLabel = "NAME",
            defaultValue = "",
            description =
                "Chat template that rows are written in: chatml, smollm2, llama3, llama2, vicuna,"
                    + " koala, alpaca or stack-qa. Default: the model's own.")
        String template,
    TemplateOptions templateInputs,
    PreferenceOptions preference,
    @Tunable
        @OnlyWith(option = "--dry-run")
        @Bounds(atLeast = 0)
        @Option(
            names = "--show",
            paramLabel = "N",
            defaultValue = "0",
            description =
                "Rows of each input that --dry-run prints token by token, those marked that are"
                    + " learned.")
        int show)
    implements Validated {
  /** TRL's, for weights; adapters are usually trained ten times as fast. */
  private static final double USUAL_RATE = 1e-6;

  private static final double USUAL_ADAPTER_RATE = 1e-5;

  @Override
  public List<String> violations() {
    List<String> violations = new ArrayList<>(tokens.pairViolations());
    StudentOptions student = training.student();
    if (student.dropout() > 0) {
      violations.add(
          "Option --dropout: a policy is compared with its reference without it: leave it out");
    }
    if (preference.refModel().isPresent() && !preference.loss().hasReference()) {
      violations.add("Option --ref-model: --loss simpo compares with no reference: leave it out");
    }
    if (student.adapter().isPresent()
        && preference.loss().hasReference()
        && preference.refModel().isEmpty()) {
      violations.add(
          "Option --adapter: without its adapters the policy is the base and not where training"
              + " begins: give --ref-model, or merge the adapter by the job export first");
    }
    return violations;
  }

  /** What the run is trained with: DPO's usual rate where none is given, and nothing dropped. */
  TrainingOptions trained() {
    boolean lora = training.student().trainable() == StudentOptions.Trainable.LORA;
    double rate =
        training.optimizer().learningRate().orElse(lora ? USUAL_ADAPTER_RATE : USUAL_RATE);
    TrainingOptionsBuilder trained =
        TrainingOptionsBuilder.builder(training)
            .optimizer(
                OptimizerOptionsBuilder.builder(training.optimizer())
                    .learningRate(Optional.of(rate))
                    .build());
    return lora
        ? trained.lora(LoraOptionsBuilder.builder(training.lora()).dropout(0).build()).build()
        : trained.build();
  }

  /** The model whose log-probabilities are the reference. */
  String reference() {
    return preference.refModel().orElse(training.student().model());
  }

  /** Named setters over the declared defaults. */
  public static DpoOptionsBuilder builder() {
    return DpoOptionsBuilder.builder(OptionsBinder.defaults(DpoOptions.class));
  }
}
