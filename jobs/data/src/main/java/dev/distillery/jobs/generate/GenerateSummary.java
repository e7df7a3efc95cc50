package dev.distillery.jobs.generate;

import dev.distillery.core.run.Figures;
import dev.distillery.core.teacher.Prices;
import java.util.Map;
import java.util.TreeMap;

/**
 * How a run of `generate` ended. The unit of candidates is the task: {@code candidates =
 * instructions + rejected + leftOver}.
 *
 * @param stoppedBy {@code num-instructions} or {@code idle-rounds}
 * @param rounds closed rounds
 * @param candidates tasks that replies proposed
 * @param instructions tasks that survived every filter
 * @param rejected tasks that a rule dropped
 * @param leftOver tasks that a reached target left over
 * @param instances rows of the table
 * @param instancesOverCap instances of kept tasks beyond the most that a task may have
 * @param rejects rejections by rule, of tasks and of instances
 * @param teacher what asking took: requests, tokens, cost
 */
public record GenerateSummary(
    String stoppedBy,
    int rounds,
    long candidates,
    long instructions,
    long rejected,
    long leftOver,
    long instances,
    long instancesOverCap,
    Map<String, Long> rejects,
    Map<String, Number> teacher)
    implements Figures {

  public GenerateSummary {
    rejects = Map.copyOf(rejects);
    teacher = Map.copyOf(teacher);
  }

  @Override
  public Map<String, Number> figures() {
    var figures = new TreeMap<>(teacher);
    figures.put("rounds", rounds);
    figures.put("candidates", candidates);
    figures.put("instructions", instructions);
    figures.put("rejected", rejected);
    figures.put("left_over", leftOver);
    figures.put("instances", instances);
    figures.put("instances_over_cap", instancesOverCap);
    Number cost = teacher.get("cost_usd");
    if (cost != null && instructions > 0) {
      figures.put("cost_usd_per_instruction", cost.doubleValue() / instructions);
      figures.put("alpaca_cost_usd_per_instruction", Prices.ALPACA_USD_PER_INSTRUCTION);
    }
    return figures;
  }

  @Override
  public Map<String, Object> members() {
    return Map.of("stopped_by", stoppedBy);
  }
}
