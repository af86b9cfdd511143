/* What Debian's wg calls and musl has not: names of glibc, for checks of the compiler and for the C of 2023. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int __vasprintf_chk(char **text, int flag, const char *format, va_list values)
{
	return vasprintf(text, format, values);
}

int __vfprintf_chk(FILE *file, int flag, const char *format, va_list values)
{
	return vfprintf(file, format, values);
}

int __fprintf_chk(FILE *file, int flag, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	int length = vfprintf(file, format, values);
	va_end(values);
	return length;
}

int __printf_chk(int flag, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	int length = vprintf(format, values);
	va_end(values);
	return length;
}

int __snprintf_chk(char *text, size_t most, int flag, size_t room, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	int length = vsnprintf(text, most, format, values);
	va_end(values);
	return length;
}

long long __isoc23_strtoll(const char *text, char **end, int base)
{
	return strtoll(text, end, base);
}

unsigned long __isoc23_strtoul(const char *text, char **end, int base)
{
	return strtoul(text, end, base);
}

unsigned long long __isoc23_strtoull(const char *text, char **end, int base)
{
	return strtoull(text, end, base);
}
