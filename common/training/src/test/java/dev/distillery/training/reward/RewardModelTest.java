package dev.distillery.training.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.format.AdapterConfig;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.ArrayWeights;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ScoreBias;
import dev.distillery.model.format.TensorSpec;
import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.FrozenForm;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.PortableKernels;
import dev.distillery.model.nn.Trainable;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.train.SequenceHead;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.training.tokens.AnswerEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RewardModelTest {
  private static final List<Message> PROMPT = List.of(new Message("user", "say the word"));

  @TempDir Path temp;

  private static List<int[]> sequences() {
    List<int[]> sequences = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      int key = i;
      int[] ids = new int[i == 4 ? 1 : 2 + 5 * i];
      Arrays.setAll(ids, t -> (int) (CounterRandom.uniformDouble(key, t) * 300));
      sequences.add(ids);
    }
    return sequences;
  }

  /** Pitfall 10: whatever stands beside it, and were its last token in its prompt, too. */
  @Test
  void theRewardModelReadsTheLastTokenWhateverItsCompany() throws IOException {
    Path model = TinyReward.write(temp.resolve("model"), 1.5);
    try (RewardModel reward = RewardModel.open(model, 1)) {
      double[] together = reward.score(sequences());
      for (int i = 0; i < together.length; i++) {
        assertThat(reward.score(List.of(sequences().get(i)))).containsExactly(together[i]);
        assertThat(together[i]).isCloseTo(byHand(model, sequences().get(i)), within(1e-4));
      }
      List<int[]> backwards = new ArrayList<>(sequences());
      Collections.reverse(backwards);
      double[] scores = reward.score(backwards);
      for (int i = 0; i < together.length; i++) {
        assertThat(scores[together.length - 1 - i]).isEqualTo(together[i]);
      }
      int[] twice = {7, 2, 8, 2, 2};
      assertThat(reward.score(List.of(twice))[0])
          .isCloseTo(byHand(model, twice), within(1e-4))
          .isNotCloseTo(byHand(model, Arrays.copyOf(twice, 2)), within(1e-3));
    }
  }

  /** Pitfall 8: two passes give the same bits. */
  @Test
  void aRewardModelDropsNothing() throws IOException {
    Path model = TinyReward.write(temp.resolve("model"), 0);
    try (RewardModel reward = RewardModel.open(model, 2)) {
      assertThat(reward.score(sequences())).isEqualTo(reward.score(sequences()));
    }
  }

  /** The head on the last hidden state, and the bias, on portable kernels. */
  private static double byHand(Path model, int[] ids) throws IOException {
    try (ModelFiles files = ModelFiles.open(model);
        Kernels kernels = new PortableKernels();
        Parameters parameters =
            Weights.open(
                files.config(),
                kernels,
                files.weights(),
                Trainable.NONE,
                Optional.empty(),
                FrozenForm.FLOAT32,
                0);
        Decoder decoder =
            new Decoder(files.config(), kernels, parameters, Optional.empty(), false);
        SequenceHead head = SequenceHead.score(decoder)) {
      float[] score =
          head.forward(
              decoder.forward(Batch.of(List.of(ids)), Dropout.NONE), new int[] {ids.length - 1});
      return score[0] + files.config().scoreBias();
    }
  }

  @Test
  void anAnswerEndsAtItsClosingTokenAndACutOneBeforeIt() throws IOException {
    Path model = TinyReward.write(temp.resolve("model"), 0);
    try (RewardModel reward = RewardModel.open(model, 1)) {
      AnswerEncoder encoder = reward.encoder("");
      int end = encoder.tokenizer().id("<|im_end|>").orElseThrow();
      AnswerEncoder.Answered closed = encoder.closed(PROMPT, "the");
      AnswerEncoder.Answered cut = encoder.cut(PROMPT, "the");

      assertThat(closed.ids()[closed.ids().length - 1]).isEqualTo(end);
      assertThat(cut.ids()).isEqualTo(Arrays.copyOf(closed.ids(), closed.ids().length - 1));
      assertThat(
              encoder
                  .tokenizer()
                  .decode(
                      Arrays.copyOfRange(closed.ids(), closed.from(), closed.ids().length), false))
          .isEqualTo("the<|im_end|>");
      assertThat(closed.from()).isEqualTo(cut.from());
      assertThat(encoder.cut(PROMPT, "").hasAnswer()).isFalse();
      assertThatThrownBy(() -> encoder.closed(PROMPT)).hasMessageContaining("no answer");
    }
  }

  @Test
  void whatHasNoScoreHeadIsRefusedByName() throws IOException {
    Path student = TinyReward.student();
    assertThatThrownBy(() -> RewardModel.open(student, 1))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("student")
        .hasMessageContaining("it is a language model without a score head");
    Path classifier = TinyReward.write(temp.resolve("classifier"), 0, 3);
    assertThatThrownBy(() -> RewardModel.check(classifier))
        .hasMessageContaining("a classifier of 3 labels");
    Path model = TinyReward.write(temp.resolve("model"), 0);
    try (RewardModel reward = RewardModel.open(model, 1)) {
      assertThatThrownBy(() -> reward.score(List.of(new int[65])))
          .hasMessage("Sequence 0 has 65 tokens, and the reward model scores 1 to 64");
    }
  }

  /** Pitfall 19: the head is the adapter's, and it scores as the merged model does. */
  @Test
  void anAdapterIsReadWithItsHeadAndItsBase() throws IOException {
    Path model = TinyReward.write(temp.resolve("model"), 0);
    Path adapter = adapter();

    try (RewardModel plain = RewardModel.open(model, 1);
        RewardModel adapted = RewardModel.open(adapter, 1)) {
      double[] scores = adapted.score(sequences());
      assertThat(scores).isNotEqualTo(plain.score(sequences()));
      assertThat(adapted.config().scoreBias()).isEqualTo(-0.5);
      assertThat(adapted.encoder("").closed(PROMPT, "the").ids())
          .isEqualTo(plain.encoder("").closed(PROMPT, "the").ids());
    }
    SharedReward.Access access =
        SharedReward.access(LocalSpark.session().sparkContext(), adapter, 1);
    try (RewardModel adapted = RewardModel.open(adapter, 1)) {
      assertThat(access.score(sequences())).isEqualTo(adapted.score(sequences()));
    } finally {
      SharedReward.release(access);
    }
  }

  /** Trainers save the tokenizer beside an adapter; the base's is read. */
  @Test
  void anAdaptersOwnTokenizerMustBeItsBases() throws IOException {
    Path adapter = adapter();
    for (String name : List.of("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")) {
      Files.copy(TinyReward.student().resolve(name), adapter.resolve(name));
    }
    assertThat(RewardModel.encoder(adapter, "", TemplateInputs.NONE).closed(PROMPT, "the").ids())
        .isEqualTo(AnswerEncoder.open(TinyReward.student(), "").closed(PROMPT, "the").ids());
    Files.writeString(adapter.resolve("chat_template.jinja"), "{{ messages[0].content }}");
    assertThatThrownBy(() -> RewardModel.encoder(adapter, "", TemplateInputs.NONE))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining(
            "adapter: its own files have another chat template than its base, whose is used: take"
                + " them away");
    assertThat(RewardModel.encoder(adapter, "vicuna", TemplateInputs.NONE).template().name())
        .isEqualTo("vicuna");
    Path tokens = adapter.resolve("tokenizer.json");
    Files.writeString(tokens, Files.readString(tokens).replace("<|im_end|>", "<|im_over|>"));
    assertThatThrownBy(() -> RewardModel.encoder(adapter, "vicuna", TemplateInputs.NONE))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("'<|im_over|>' as token 2 and its base '<|im_end|>'");
  }

  /** A dry run writes prompts and answers, and computes nothing. */
  @Test
  void weightsAreReadWhenTheFirstSequenceIsScored() throws IOException {
    Path model = TinyReward.write(temp.resolve("model"), 0);
    SharedReward.Access access = SharedReward.access(LocalSpark.session().sparkContext(), model, 1);
    try {
      assertThat(access.encoder("", TemplateInputs.NONE).closed(PROMPT, "the").hasAnswer())
          .isTrue();
      Files.delete(model.resolve("model.safetensors"));
      assertThatThrownBy(() -> access.score(sequences()))
          .hasMessageContaining("Cannot read the reward model");
    } finally {
      SharedReward.release(access);
    }
  }

  private Path adapter() throws IOException {
    Path adapter = temp.resolve("adapter");
    ArrayWeights weights = new ArrayWeights();
    weights.put(new TensorSpec("score.weight", List.of(1, 32)), values(32, 5));
    String module = "model.layers.1.self_attn.q_proj";
    weights.put(new TensorSpec(module + ".lora_A.weight", List.of(2, 32)), values(64, 7));
    weights.put(new TensorSpec(module + ".lora_B.weight", List.of(32, 2)), values(64, 3));
    AdapterFiles.write(
        adapter,
        new AdapterConfig(
            2,
            4,
            0,
            List.of("q_proj"),
            false,
            List.of("score"),
            "SEQ_CLS",
            TinyReward.student().toString()),
        weights);
    ScoreBias.write(adapter, -0.5);
    return adapter;
  }

  private static float[] values(int count, int period) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (i % period - period / 2) / 9f;
    }
    return values;
  }
}
