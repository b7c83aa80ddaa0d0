/* SPDX-License-Identifier: Apache-2.0 */
#include "core/time.h"

#include "core/reader.h"
#include "core/writer.h"

enum {
    YEAR_MAX = 9999,
    DAY_S = 86400
};

/* Days from 1970-01-01.  A year that begins in March has its leap day at the end. */
static int64_t days_of_date(int64_t year, int64_t month, int64_t day)
{
    int64_t shifted = month <= 2 ? year - 1 : year;
    int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    int64_t year_of_era = shifted - era * 400;
    int64_t month_from_march = (month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int month_length(int year, int month)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && is_leap ? 29 : lengths[month - 1];
}

bool time_from_parts(int64_t *time_s, const struct time_parts *parts)
{
    if (parts->year < 0 || parts->year > YEAR_MAX || parts->month < 1 || parts->month > 12 ||
        parts->day < 1 || parts->day > month_length(parts->year, parts->month))
        return false;
    if (parts->hour < 0 || parts->hour > 23 || parts->minute < 0 || parts->minute > 59 ||
        parts->second < 0 || parts->second > 59)
        return false;
    *time_s = days_of_date(parts->year, parts->month, parts->day) * DAY_S +
              (parts->hour * 60 + parts->minute) * 60 + parts->second;
    return true;
}

bool time_to_parts(struct time_parts *parts, int64_t time_s)
{
    if (time_s < days_of_date(0, 1, 1) * DAY_S ||
        time_s >= days_of_date(YEAR_MAX + 1, 1, 1) * DAY_S)
        return false;
    int64_t days = (time_s >= 0 ? time_s : time_s - (DAY_S - 1)) / DAY_S;
    int64_t seconds = time_s - days * DAY_S;
    int64_t year = 1970 + days / 365;
    while (days_of_date(year, 1, 1) > days)
        year--;
    while (days_of_date(year + 1, 1, 1) <= days)
        year++;
    int64_t month = 1;
    while (month < 12 && days_of_date(year, month + 1, 1) <= days)
        month++;
    *parts = (struct time_parts){ .year = (int)year,
                                  .month = (int)month,
                                  .day = (int)(days - days_of_date(year, month, 1) + 1),
                                  .hour = (int)(seconds / 3600),
                                  .minute = (int)(seconds / 60 % 60),
                                  .second = (int)(seconds % 60) };
    return true;
}

static void write_digits(struct writer *writer, int number, int count)
{
    static const int units[] = { 1, 10, 100, 1000 };
    for (int i = count - 1; i >= 0; i--)
        write_u8(writer, (uint8_t)('0' + number / units[i] % 10));
}

bool time_format(char text[TIME_TEXT_SIZE + 1], int64_t time_s)
{
    struct time_parts parts;
    if (!time_to_parts(&parts, time_s))
        return false;
    struct writer writer = writer_into(text, TIME_TEXT_SIZE + 1);
    const int numbers[] = { parts.year, parts.month,  parts.day,
                            parts.hour, parts.minute, parts.second };
    static const char ends[] = "--T::Z";
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        write_digits(&writer, numbers[i], i == 0 ? 4 : 2);
        write_u8(&writer, (uint8_t)ends[i]);
    }
    write_u8(&writer, 0);
    return !writer.failed;
}

static int read_digits(struct reader *reader, unsigned count)
{
    int number = 0;
    for (unsigned i = 0; i < count; i++) {
        uint8_t digit = read_u8(reader);
        if (digit < '0' || digit > '9')
            reader_fail(reader);
        number = number * 10 + digit - '0';
    }
    return reader->failed ? 0 : number;
}

static void expect(struct reader *reader, uint8_t upper, uint8_t lower)
{
    uint8_t found = read_u8(reader);
    if (found != upper && found != lower)
        reader_fail(reader);
}

/* Behind the seconds: an optional fraction.  Gives the first byte that is none of it. */
static uint8_t skip_fraction(struct reader *reader)
{
    uint8_t next = read_u8(reader);
    if (next != '.')
        return next;
    (void)read_digits(reader, 1);
    do {
        next = read_u8(reader);
    } while (next >= '0' && next <= '9');
    return next;
}

/* "Z", or how far ahead of UTC the text's clock is. */
static int read_offset_s(struct reader *reader)
{
    uint8_t sign = skip_fraction(reader);
    if (sign == 'Z' || sign == 'z')
        return 0;
    int hours = read_digits(reader, 2);
    expect(reader, ':', ':');
    int minutes = read_digits(reader, 2);
    if ((sign != '+' && sign != '-') || hours > 23 || minutes > 59)
        reader_fail(reader);
    int offset_s = (hours * 60 + minutes) * 60;
    return sign == '-' ? -offset_s : offset_s;
}

bool time_parse(int64_t *time_s, struct bytes text)
{
    struct reader reader = reader_of(text);
    struct time_parts parts = { .year = read_digits(&reader, 4) };
    expect(&reader, '-', '-');
    parts.month = read_digits(&reader, 2);
    expect(&reader, '-', '-');
    parts.day = read_digits(&reader, 2);
    expect(&reader, 'T', 't');
    parts.hour = read_digits(&reader, 2);
    expect(&reader, ':', ':');
    parts.minute = read_digits(&reader, 2);
    expect(&reader, ':', ':');
    parts.second = read_digits(&reader, 2);
    if (parts.second == 60)
        parts.second = 59;
    int offset_s = read_offset_s(&reader);
    int64_t local_s = 0;
    if (!read_end(&reader) || !time_from_parts(&local_s, &parts))
        return false;
    *time_s = local_s - offset_s;
    return true;
}
