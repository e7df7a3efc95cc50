package dev.distillery.jobs.dedup;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The few most similar of the texts that were offered, best first; of equally similar ones the
 * earlier first. The order of the offers, and offering one twice, makes no difference.
 */
final class NearestTexts implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Another text, and how similar it is. */
  record Near(long ordinal, double score) implements Serializable {
    static final Comparator<Near> BEST_FIRST =
        Comparator.comparingDouble(Near::score).reversed().thenComparingLong(Near::ordinal);
  }

  private final int most;
  private final ArrayList<Near> best = new ArrayList<>();

  NearestTexts(int most) {
    this.most = most;
  }

  NearestTexts plus(Near offered) {
    int place = 0;
    while (place < best.size() && Near.BEST_FIRST.compare(best.get(place), offered) < 0) {
      place++;
    }
    boolean known = place < best.size() && best.get(place).equals(offered);
    if (place < most && !known) {
      best.add(place, offered);
      if (best.size() > most) {
        best.remove(most);
      }
    }
    return this;
  }

  NearestTexts plus(NearestTexts other) {
    other.best.forEach(this::plus);
    return this;
  }

  List<Near> bestFirst() {
    return List.copyOf(best);
  }
}
