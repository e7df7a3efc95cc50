package dev.distillery.training.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.OptionsKit;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TrainingOptionsTest {
  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(TrainingOptions.class)
        .defaults(
            """
            model (required)
            output-dir (required)
            trainable full
            adapter (none)
            dtype auto
            dropout 0.0
            gradient-checkpointing false
            lora-rank 16
            lora-alpha 32.0
            lora-dropout 0.05
            lora-targets q_proj,v_proj
            train-tokens (none)
            learning-rate (none)
            weight-decay 0.0
            max-grad-norm 1.0
            adam-beta1 0.9
            adam-beta2 0.999
            adam-epsilon 1.0E-8
            num-epochs 3
            max-steps (none)
            lr-schedule constant
            warmup-steps 0.03
            min-lr-ratio 0.0
            batch-size 8
            gradient-accumulation-steps 1
            shuffle true
            eval-steps (none)
            save-steps 500
            save-total-limit 2
            best-by (none)
            early-stop (none)
            sample-prompts 3
            sample-tokens 48
            workers (none)
            local-steps 1
            outer-learning-rate 0.7
            outer-momentum 0.9
            gpu-hour-usd (none)
            mlflow-uri (none)
            """)
        .arrive(
            """
            model m
            output-dir o
            trainable lora
            adapter a
            dtype bfloat16
            dropout 0.1
            gradient-checkpointing true
            lora-rank 8
            lora-alpha 16.0
            lora-dropout 0.1
            lora-targets all-linear
            train-tokens auto,</s>
            learning-rate 0.001
            weight-decay 0.1
            max-grad-norm 0.5
            adam-beta1 0.8
            adam-beta2 0.95
            adam-epsilon 1.0E-6
            num-epochs 1
            max-steps 10
            lr-schedule linear
            warmup-steps 5.0
            min-lr-ratio 0.1
            batch-size 2
            gradient-accumulation-steps 4
            shuffle false
            eval-steps 7
            save-steps 9
            save-total-limit 3
            best-by eval_loss
            early-stop 2
            sample-prompts 0
            sample-tokens 9
            workers 2
            local-steps 10
            outer-learning-rate 0.5
            outer-momentum 0.6
            gpu-hour-usd 2.5
            mlflow-uri http://localhost:5000
            """);
  }

  @Test
  void whatTheRestMakesOfNoUseIsRefused() {
    assertThat(
            OptionsBinder.of(TrainingOptions.class)
                .violations(
                    Map.of(
                        "model", List.of("m"),
                        "output-dir", List.of("o"),
                        "adapter", List.of("a"),
                        "lora-rank", List.of("8"),
                        "outer-momentum", List.of("1"))))
        .containsExactlyInAnyOrder(
            "Option --outer-momentum: expected 0 or more and below 1, found 1.0",
            "Option --adapter: expected only with --trainable lora, found --trainable full; leave"
                + " it out",
            "Option --lora-rank: expected only with --trainable lora, found --trainable full; leave"
                + " it out",
            "Option --outer-momentum: expected only with --local-steps, found --local-steps 1;"
                + " leave it out");
  }
}
