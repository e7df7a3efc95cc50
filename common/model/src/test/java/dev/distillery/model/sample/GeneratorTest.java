package dev.distillery.model.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Golden;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.PortableKernels;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.train.LanguageModelHead;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GeneratorTest {
  private final ModelConfig config = Golden.config("llama-gqa31-tied");
  private final Kernels kernels = new PortableKernels();
  private final Parameters parameters =
      Parameters.allocate(kernels, DecoderLayout.slots(config), slot -> false);
  private final Decoder decoder = new Decoder(config, kernels, parameters, Optional.empty(), false);
  private final Generator generator = new Generator(decoder, GeneratorTest::letters);

  GeneratorTest() {
    Golden.read("llama-gqa31-tied").load("w/", parameters);
  }

  @AfterEach
  void close() {
    generator.close();
    decoder.close();
    parameters.close();
    kernels.close();
  }

  /** Token i is the character '0' + i. */
  private static String letters(int[] tokens) {
    return Arrays.stream(tokens)
        .mapToObj(t -> String.valueOf((char) ('0' + t)))
        .collect(Collectors.joining());
  }

  private List<Generator.Reply> generate(GenerationOptions options, int batch, int... lengths) {
    List<Generator.Prompt> prompts = new ArrayList<>();
    for (int i = 0; i < lengths.length; i++) {
      int[] tokens = new int[lengths[i]];
      Arrays.setAll(tokens, j -> 3 + (j * 7 + lengths.length) % 60);
      prompts.add(new Generator.Prompt(100 + i, tokens));
    }
    return generator.generate(prompts, options, batch, (row, token) -> {});
  }

  @Test
  void greedyReplyIsTheMostLikelyTokenOfTheWholePassEachTime() {
    int[] tokens = generate(GenerationOptions.greedy(6, List.of()), 1, 5).get(0).tokens();
    assertThat(tokens).hasSize(6);
    int[] all = new int[11];
    Arrays.setAll(all, j -> j < 5 ? 3 + (j * 7 + 1) % 60 : tokens[j - 5]);
    Tensor logits = kernels.tensor(11, config.vocabSize());
    decoder.logits(logits, decoder.forward(Batch.of(List.of(all)), Dropout.NONE));
    for (int i = 0; i < 6; i++) {
      assertThat(tokens[i]).isEqualTo(TokenChooser.mostLikely(logits.rows(4 + i, 1).toArray()));
    }
    logits.memory().close();
  }

  @Test
  void aRowsReplyDoesNotDependOnTheBatch() {
    GenerationOptions options =
        new GenerationOptions(8, 0.9, 20, 0.95, 1.1, List.of(2), List.of(), 42);
    List<Generator.Reply> together = generate(options, 3, 4, 9, 6, 5);
    List<Generator.Reply> alone = generate(options, 1, 4, 9, 6, 5);
    assertThat(tokensOf(together)).usingRecursiveComparison().isEqualTo(tokensOf(alone));
  }

  private static List<int[]> tokensOf(List<Generator.Reply> replies) {
    return replies.stream().map(Generator.Reply::tokens).toList();
  }

  @Test
  void aStopTextEndsTheReplyAndIsNotPartOfIt() {
    Generator.Reply whole = generate(GenerationOptions.greedy(10, List.of()), 1, 5).get(0);
    String stop = whole.text().substring(3, 5);
    GenerationOptions options =
        new GenerationOptions(10, 0, 0, 1, 1, List.of(), List.of("\n", stop), 42);
    Generator.Reply cut = generate(options, 1, 5).get(0);
    assertThat(cut.text()).isEqualTo(whole.text().substring(0, whole.text().indexOf(stop)));
    assertThat(cut.finish()).isEqualTo(Generator.Finish.STOP);
  }

  @Test
  void aStopTokenEndsTheReplyAndIsNotPartOfIt() {
    Generator.Reply whole = generate(GenerationOptions.greedy(10, List.of()), 1, 5).get(0);
    int stop = whole.tokens()[4];
    Generator.Reply cut = generate(GenerationOptions.greedy(10, List.of(stop)), 1, 5).get(0);
    int first = letters(whole.tokens()).indexOf((char) ('0' + stop));
    assertThat(cut.tokens()).isEqualTo(Arrays.copyOf(whole.tokens(), first));
    assertThat(cut.finish()).isEqualTo(Generator.Finish.STOP);
  }

  @Test
  void listenerHearsEveryTokenInOrder() {
    List<Integer> heard = new ArrayList<>();
    List<Generator.Prompt> prompts = List.of(new Generator.Prompt(1, new int[] {3, 4}));
    List<Generator.Reply> replies =
        generator.generate(
            prompts, GenerationOptions.greedy(5, List.of()), 1, (row, token) -> heard.add(token));
    assertThat(heard)
        .containsExactlyElementsOf(Arrays.stream(replies.get(0).tokens()).boxed().toList());
  }

  @Test
  void aPromptThatFillsTheContextIsRefused() {
    assertThatThrownBy(() -> generate(GenerationOptions.greedy(1, List.of()), 1, 128))
        .hasMessageContaining("128 tokens")
        .hasMessageContaining("shorten");
  }

  @Test
  void scoresOfAContinuationAreThoseOfTheTrainingPass() {
    int[] context = {3, 9, 27};
    int[] continuation = {11, 4, 60, 5};
    int[] all = {3, 9, 27, 11, 4, 60, 5};
    try (ContinuationScorer scorer = new ContinuationScorer(decoder);
        LanguageModelHead head = new LanguageModelHead(decoder)) {
      ContinuationScorer.Score score = scorer.score(context, continuation);
      double[] expected =
          head.logProbs(
                  decoder.forward(Batch.of(List.of(all)), Dropout.NONE),
                  new int[] {2, 3, 4, 5},
                  continuation)
              .logProbs();
      assertThat(score.logProbs()).containsExactly(expected, Offset.offset(1e-5));
      assertThat(score.greedy()).isFalse();
      int[] greedy =
          generator
              .generate(
                  List.of(new Generator.Prompt(0, context)),
                  GenerationOptions.greedy(3, List.of()),
                  1,
                  (row, token) -> {})
              .get(0)
              .tokens();
      assertThat(scorer.score(context, greedy).greedy()).isTrue();
    }
  }
}
