package dev.distillery.core.text;

import java.util.HashMap;
import java.util.Map;

/** The check digits of card numbers (Luhn) and of bank accounts (ISO 13616, modulo 97). */
final class CheckDigits {
  /** Length of an account number, by country, as its bankers' association registered it. */
  private static final String LENGTHS =
      "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28"
          + " EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23"
          + " IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27"
          + " MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27"
          + " ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20";

  private static final Map<String, Integer> LENGTH = lengths();

  private CheckDigits() {}

  private static Map<String, Integer> lengths() {
    Map<String, Integer> lengths = new HashMap<>();
    for (String entry : LENGTHS.split(" ", -1)) {
      lengths.put(entry.substring(0, 2), Integer.valueOf(entry.substring(2)));
    }
    return lengths;
  }

  /**
   * Whether it is an account number: of a known country, of its length, with check digits that
   * hold.
   *
   * @param account capital letters and digits without spaces
   */
  static boolean isIban(String account) {
    Integer length = LENGTH.get(account.substring(0, 2));
    if (length == null || account.length() != length) {
      return false;
    }
    String turned = account.substring(4) + account.substring(0, 4);
    int rest = 0;
    for (int i = 0; i < turned.length(); i++) {
      int value = Character.digit(turned.charAt(i), 36);
      rest = (value < 10 ? rest * 10 + value : rest * 100 + value) % 97;
    }
    return rest == 1;
  }

  /**
   * Whether it is a card number: of a known brand, of its length, with a check digit that holds.
   *
   * @param digits without spaces
   */
  static boolean isCard(String digits) {
    return isOfBrand(digits) && luhn(digits);
  }

  private static boolean isOfBrand(String digits) {
    int length = digits.length();
    int four = Integer.parseInt(digits.substring(0, 4));
    int two = four / 100;
    boolean visa = two / 10 == 4 && (length == 13 || length == 16 || length == 19);
    boolean mastercard =
        length == 16 && ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720));
    boolean amex = length == 15 && (two == 34 || two == 37);
    boolean discover = length == 16 && (four == 6011 || two == 65 || (four >= 6440 && four < 6500));
    boolean jcb = length == 16 && four >= 3528 && four <= 3589;
    boolean diners = length == 14 && (two == 36 || two == 38 || (four >= 3000 && four <= 3059));
    boolean unionPay = two == 62 && length >= 16;
    boolean maestro =
        length == 16 && (four == 5018 || four == 5020 || four == 5038 || four == 6304);
    return visa || mastercard || amex || discover || jcb || diners || unionPay || maestro;
  }

  private static boolean luhn(String digits) {
    int sum = 0;
    for (int i = 0; i < digits.length(); i++) {
      int digit = digits.charAt(digits.length() - 1 - i) - '0';
      int counted = i % 2 == 0 ? digit : 2 * digit;
      sum += counted > 9 ? counted - 9 : counted;
    }
    return sum % 10 == 0;
  }
}
