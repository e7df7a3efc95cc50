package dev.distillery.training.rollout;

import dev.distillery.model.nn.Decoder;
import dev.distillery.model.sample.DecodingBatch;
import dev.distillery.model.sample.GenerationOptions;
import dev.distillery.model.sample.Generator;
import dev.distillery.training.run.Question;
import dev.distillery.training.run.TrainingObjective;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * An answer as it was sampled.
 *
 * @param ids its end mark among them
 * @param logProbs as decoding knew them, [tokens]
 * @param ended whether the last of them is an end mark
 */
@SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
record Written(int[] ids, float[] logProbs, boolean ended) implements Serializable {
  /**
   * Samples answers, plainly: from all tokens, by their probabilities at a temperature and nothing
   * else, so that the divergence from the reference is never below 0 in the mean. An answer depends
   * on its prompt, its key and the weights, not on its company.
   *
   * @param rows decoded together at most
   */
  record Sample(double temperature, List<Integer> stops, int rows)
      implements Question<Prompt.Ask, Written> {
    @Override
    public List<Written> answer(
        Decoder decoder, TrainingObjective.Computation computation, List<Prompt.Ask> asked) {
      int capacity = asked.stream().mapToInt(ask -> ask.ids().length + ask.most()).max().orElse(1);
      Written[] answers = new Written[asked.size()];
      Map<Integer, GenerationOptions> options = new HashMap<>();
      try (Generator generator = new Generator(decoder, ids -> "");
          DecodingBatch batch = generator.batch(Math.min(rows, asked.size()), capacity)) {
        int next = 0;
        while (next < answers.length || !batch.isEmpty()) {
          while (next < answers.length && batch.hasRoom()) {
            int index = next++;
            Prompt.Ask ask = asked.get(index);
            Heard heard = new Heard(ask.most());
            batch.add(
                new Generator.Prompt(ask.key(), ask.ids()),
                options.computeIfAbsent(ask.most(), this::options),
                ids -> "",
                heard,
                reply -> answers[index] = heard.written(reply.finish()));
          }
          batch.step();
        }
      }
      return List.of(answers);
    }

    private GenerationOptions options(int most) {
      return new GenerationOptions(most, temperature, 0, 1, 1, stops, List.of(), 0);
    }
  }

  /** What a batch says of one answer's tokens, the end mark too. */
  private static final class Heard implements Generator.Listener {
    private final int[] ids;
    private final float[] logProbs;
    private int count;

    Heard(int most) {
      this.ids = new int[most];
      this.logProbs = new float[most];
    }

    @Override
    public void onToken(long row, int token) {
      throw new UnsupportedOperationException("A rollout needs a token's probability");
    }

    @Override
    public void onToken(long row, int token, double logProb) {
      ids[count] = token;
      logProbs[count++] = (float) logProb;
    }

    Written written(Generator.Finish finish) {
      return new Written(
          Arrays.copyOf(ids, count),
          Arrays.copyOf(logProbs, count),
          finish == Generator.Finish.STOP);
    }
  }

  /** Cuts a list into runs of neighbours, as even as can be, none empty. */
  static <T> List<List<T>> cut(List<T> all, int parts) {
    int count = Math.min(parts, all.size());
    List<List<T>> cut = new ArrayList<>();
    for (int p = 0; p < count; p++) {
      int from = (int) ((long) p * all.size() / count);
      int to = (int) ((long) (p + 1) * all.size() / count);
      cut.add(all.subList(from, to));
    }
    return cut;
  }
}
